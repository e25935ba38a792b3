"""The row of a table: what the curves of a group say together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.metrics.click_curve import ClickCurve
from training.metrics.clicks_needed import failures, mean_clicks

SHOWN = (1, 2, 3, 5, 10, 20)  # clicks after which the mean IoU is reported


def summary(curves: Sequence[ClickCurve]) -> dict[str, float]:
    """The row of a table: IoU after n clicks, NoC, failures, obedience, drops, time."""
    row: dict[str, float] = {"objects": len(curves)}
    for n in SHOWN:
        row[f"iou@{n}"] = float(np.mean([curve.after(n) for curve in curves]))
    row["noc85"], row["noc90"] = mean_clicks(curves, 0.85), mean_clicks(curves, 0.9)
    row["failures90"] = failures(curves, 0.9)
    row["obedience"] = float(np.mean([o for curve in curves for o in curve.obeyed]))
    falls = [
        b < a - 0.005 for c in curves for a, b in zip(c.ious, c.ious[1:], strict=False)
    ]
    row["drops"] = float(np.mean(falls)) if falls else 0.0
    first = [c.seconds[0] for c in curves]
    later = [s for c in curves for s in c.seconds[1:]] or first
    row["first_ms"] = float(np.median(first) * 1e3)
    row["later_ms"] = float(np.median(later) * 1e3)
    row["later_p95_ms"] = float(np.percentile(later, 95) * 1e3)
    return row
