"""What an answer and a series of clicks are worth."""

from __future__ import annotations

from napari_iseg.click_curve import MOST, ClickCurve
from napari_iseg.widest_error import iou
from training.metrics.boundary import boundary_iou, inner_rim
from training.metrics.clicks_needed import (
    data_set_clicks,
    data_set_crossing,
    failures,
    mean_clicks,
    reached,
)
from training.metrics.decidability import decidability_index
from training.metrics.instances import (
    InstanceQuality,
    instance_quality,
    instance_summary,
)
from training.metrics.mean_curves import auc, mean_after, mean_ious
from training.metrics.overlap import coverage, hamming_distance
from training.metrics.steadiness import Drops, contradicted, drops, obedience
from training.metrics.summary import SHOWN, TARGETS, summary
from training.metrics.timing import Timing, cpu_timings, wall_timings

__all__ = [
    "MOST",
    "SHOWN",
    "TARGETS",
    "ClickCurve",
    "Drops",
    "InstanceQuality",
    "Timing",
    "auc",
    "boundary_iou",
    "contradicted",
    "coverage",
    "cpu_timings",
    "data_set_clicks",
    "data_set_crossing",
    "decidability_index",
    "drops",
    "failures",
    "hamming_distance",
    "inner_rim",
    "instance_quality",
    "instance_summary",
    "iou",
    "mean_after",
    "mean_clicks",
    "mean_ious",
    "obedience",
    "reached",
    "summary",
    "wall_timings",
]
