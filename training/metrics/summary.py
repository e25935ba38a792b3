"""The row of a table: what the curves of a group say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from napari_iseg.click_curve import MOST, ClickCurve
from training.metrics.clicks_needed import (
    data_set_crossing,
    failures,
    mean_clicks,
    reached,
)
from training.metrics.mean_curves import auc, mean_after, mean_ious
from training.metrics.steadiness import contradicted, drops, obedience
from training.metrics.timing import Timing, cpu_timings, wall_timings

SHOWN = (1, 2, 3, 5, 10, 20)  # clicks after which means are reported
TARGETS = (0.8, 0.85, 0.9, 0.95)
SERIES: Mapping[str, str] = {  # the name in a row: the name in a curve
    "biou": "boundary_ious",
    "hamming": "hamming",
    "coverage": "coverage",
    "decidability": "decidability",
}


def summary(curves: Sequence[ClickCurve]) -> dict[str, float]:
    """All the numbers of a group of curves by name; what nobody measured is left out.

    ``iou@n`` mean IoU after n clicks; ``biou@n``, ``hamming@n``, ``coverage@n`` and
    ``decidability@n`` likewise. For a target of 90 %: ``noc90`` mean clicks of an
    object, ``set_noc90`` clicks until the mean IoU is there (20 if never),
    ``failures90`` share of objects that never are, ``reached90@n`` share that are after
    n clicks. ``auc``. ``obedience``, ``contradicted``. ``drops`` share of clicks,
    ``drops_per_object``, ``drop_depth`` in IoU. ``first_ms`` and ``later_ms`` median
    time of an answer, ``..._p95_ms``, ``click_ms`` mean of all; ``cpu_...`` the same in
    processor time. ``start_iou`` of masks to start from.

    Raises
    ------
    ValueError
        If there is no curve.
    """
    means = mean_ious(curves, max(SHOWN))
    row: dict[str, float] = {"objects": len(curves)}
    row |= {f"iou@{n}": means[n] for n in SHOWN}
    row |= _clicks_to_targets(curves)
    row["auc"] = auc(curves)
    row |= _series(curves)
    row["obedience"], row["contradicted"] = obedience(curves), contradicted(curves)
    fallen = drops(curves)
    row["drops"], row["drop_depth"] = fallen.share, fallen.depth
    row["drops_per_object"] = fallen.per_object
    row |= _times(wall_timings(curves), "") | _times(cpu_timings(curves), "cpu_")
    starts = [curve.start_iou for curve in curves if curve.start_iou]
    return row | ({"start_iou": float(np.mean(starts))} if starts else {})


def _clicks_to_targets(curves: Sequence[ClickCurve]) -> dict[str, float]:
    row = {}
    for target in TARGETS:
        percent = round(100 * target)
        crossing = data_set_crossing(curves, target)
        row[f"noc{percent}"] = mean_clicks(curves, target)
        row[f"set_noc{percent}"] = float(MOST) if crossing is None else crossing
        row[f"failures{percent}"] = failures(curves, target)
        row |= {f"reached{percent}@{n}": reached(curves, target, n) for n in SHOWN}
    return row


def _series(curves: Sequence[ClickCurve]) -> dict[str, float]:
    values = {
        f"{short}@{n}": mean_after(curves, series, n)
        for short, series in SERIES.items()
        for n in SHOWN
    }
    return {name: value for name, value in values.items() if value is not None}


def _times(kinds: Mapping[str, Timing], clock: str) -> dict[str, float]:
    row = {}
    for kind in ("first", "later"):
        if kind in kinds:
            row[f"{clock}{kind}_ms"] = kinds[kind].median
            row[f"{clock}{kind}_p95_ms"] = kinds[kind].p95
    if "every" in kinds:
        row[f"{clock}click_ms"] = kinds["every"].mean
    return row
