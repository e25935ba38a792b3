"""How many clicks a goal takes, and who reaches it with how many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_iseg.click_curve import MOST, ClickCurve
from training.metrics.mean_curves import mean_ious


def mean_clicks(curves: Sequence[ClickCurve], target: float, most: int = MOST) -> float:
    """NoC: mean number of clicks to ``target``, a failure counted as ``most``.

    Each object is counted by itself: the usual definition since iFCN, and ITIS'
    table 1, left.
    """
    needed = [curve.clicks_to(target) for curve in curves]
    return float(np.mean([most if n is None else min(n, most) for n in needed]))


def failures(
    curves: Sequence[ClickCurve], target: float, budget: int | None = None
) -> float:
    """Share of objects that do not reach ``target`` (within ``budget`` clicks each).

    Reaching it with the last click is no failure; RITM's NoF counts it as one.
    """
    return float(np.mean([not ok for ok in _successes(curves, target, budget)]))


def reached(
    curves: Sequence[ClickCurve], target: float, budget: int | None = None
) -> float:
    """Share of objects that reach ``target`` within ``budget`` clicks each.

    Without a budget: with all the clicks that were made.
    """
    return float(np.mean(_successes(curves, target, budget)))


def _successes(
    curves: Sequence[ClickCurve], target: float, budget: int | None
) -> list[bool]:
    limit = math.inf if budget is None else budget
    needed = [curve.clicks_to(target) for curve in curves]
    return [n is not None and n <= limit for n in needed]


def data_set_clicks(
    curves: Sequence[ClickCurve], target: float, most: int = MOST
) -> int | None:
    """The same number of clicks for every object until the mean IoU is ``target``.

    0 if the masks to start from are as good already; None if ``most`` clicks are not
    enough (the papers print "> 20").
    """
    crossing = data_set_crossing(curves, target, most)
    return None if crossing is None else math.ceil(crossing)


def data_set_crossing(
    curves: Sequence[ClickCurve], target: float, most: int = MOST
) -> float | None:
    """Where the curve of the mean IoU crosses ``target``, between clicks.

    The per-data-set definition of ITIS (table 1, right), whose numbers are fractions:
    read off the drawn curve, a straight line from click to click. At least 1, or 0 if
    the masks to start from are as good; None if it is not reached by ``most``.
    """
    means = mean_ious(curves, most)
    above = [k for k, value in enumerate(means) if value >= target]
    if not above:
        return None
    click = above[0]
    if click <= 1:
        return float(click)
    before, after = means[click - 1], means[click]
    return click - 1 + (target - before) / (after - before)
