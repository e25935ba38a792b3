"""What a series of clicks was worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_iseg.arrays import Mask

MOST = 20  # clicks of a robot on one object
SHOWN = (1, 2, 3, 5, 10, 20)  # clicks after which the mean IoU is reported


@dataclass(frozen=True, slots=True)
class ClickCurve:
    """One object: ``ious[k]`` after ``k + 1`` clicks; shorter if nothing was wrong.

    ``obeyed[k]`` says whether every clicked pixel carried its label then,
    ``seconds[k]`` how long the answer took (wall time, robot not counted).
    """

    method: str
    data: str
    robot: str
    sample: str
    ious: tuple[float, ...]
    obeyed: tuple[bool, ...]
    seconds: tuple[float, ...]

    def after(self, clicks: int) -> float:
        """IoU after ``clicks`` clicks; the last one if the robot stopped before."""
        return self.ious[min(clicks, len(self.ious)) - 1]

    def clicks_to(self, target: float) -> int | None:
        """Clicks until the IoU first reaches ``target``; None if it never does."""
        reached = [k for k, value in enumerate(self.ious, start=1) if value >= target]
        return reached[0] if reached else None


def iou(truth: Mask, predicted: Mask, ignored: Mask | None = None) -> float:
    """Intersection over union without the ignored pixels; 1 if both are empty."""
    if ignored is not None:
        truth, predicted = truth & ~ignored, predicted & ~ignored
    either = np.count_nonzero(truth | predicted)
    return np.count_nonzero(truth & predicted) / either if either else 1.0


def mean_clicks(curves: Sequence[ClickCurve], target: float, most: int = MOST) -> float:
    """NoC: mean number of clicks to ``target``, a failure counted as ``most``."""
    return float(np.mean([curve.clicks_to(target) or most for curve in curves]))


def failures(curves: Sequence[ClickCurve], target: float) -> float:
    """Share of objects that never reach ``target``."""
    return float(np.mean([curve.clicks_to(target) is None for curve in curves]))


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
