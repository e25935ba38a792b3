"""Rows that show the room left: the best that all methods together could do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from training.evaluation.methods import is_classical
from training.metrics import MOST, ClickCurve

LEARNING_FREE = "learning-free limit"


def learning_free_limit(curves: Iterable[ClickCurve]) -> list[ClickCurve]:
    """For each object and number of clicks the best of the classical methods.

    As if somebody told the user which of them to look at. Only objects that every
    classical method of the data set and robot was measured on count; with fewer than
    two methods there is no limit to speak of.
    """
    groups: dict[tuple[str, str], list[ClickCurve]] = defaultdict(list)
    for curve in curves:
        if is_classical(curve.method):
            groups[curve.data, curve.robot].append(curve)
    return [best for group in groups.values() for best in bests(group)]


def bests(curves: Sequence[ClickCurve]) -> list[ClickCurve]:
    methods = {curve.method for curve in curves}
    by_object: dict[str, list[ClickCurve]] = defaultdict(list)
    for curve in curves:
        by_object[curve.sample].append(curve)
    if len(methods) < 2:
        return []
    return [
        upper_bound(rivals)
        for rivals in by_object.values()
        if len(rivals) == len(methods)
    ]


def upper_bound(rivals: Sequence[ClickCurve]) -> ClickCurve:
    """The highest IoU of any rival after each number of clicks; it has no times."""
    most = max(len(curve.ious) for curve in rivals)
    best = [max(rivals, key=lambda c: c.after(n)) for n in range(1, most + 1)]
    return ClickCurve(
        f"{LEARNING_FREE} (best of {len(rivals)})",
        rivals[0].data,
        rivals[0].robot,
        rivals[0].sample,
        ious=tuple(curve.after(n) for n, curve in enumerate(best, start=1)),
        obeyed=tuple(
            all(curve.obeyed[n - 1 : n]) for n, curve in enumerate(best, start=1)
        ),
        seconds=(),
        start_iou=rivals[0].start_iou,
    )


def worth(curve: ClickCurve) -> tuple[int, int, float]:
    """Smaller is better: clicks to 90 %, then to 85 %, then minus the mean IoU."""
    mean = float(np.mean([curve.after(n) for n in range(1, MOST + 1)]))
    return needed(curve, 0.9), needed(curve, 0.85), -mean


def needed(curve: ClickCurve, target: float) -> int:
    """Clicks to ``target``; one more than there are if it is never reached."""
    clicks = curve.clicks_to(target)
    return MOST + 1 if clicks is None else clicks
