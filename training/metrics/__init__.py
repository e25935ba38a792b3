"""What an answer and a series of clicks are worth."""

from __future__ import annotations

from training.metrics.boundary import boundary_iou, inner_rim
from training.metrics.click_curve import MOST, ClickCurve
from training.metrics.clicks_needed import failures, mean_clicks
from training.metrics.decidability import decidability_index
from training.metrics.overlap import coverage, hamming_distance, iou
from training.metrics.summary import SHOWN, summary

__all__ = [
    "MOST",
    "SHOWN",
    "ClickCurve",
    "boundary_iou",
    "coverage",
    "decidability_index",
    "failures",
    "hamming_distance",
    "inner_rim",
    "iou",
    "mean_clicks",
    "summary",
]
