"""The curves of a group, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from napari_iseg.click_curve import MOST, ClickCurve


def mean_ious(curves: Sequence[ClickCurve], most: int = MOST) -> tuple[float, ...]:
    """Mean IoU after 0, 1, ... ``most`` clicks: ``most + 1`` values.

    A curve whose robot was content early keeps its last value. 0 clicks: the masks to
    start from.

    Raises
    ------
    ValueError
        If there is no curve.
    """
    if not curves:
        raise ValueError("there is no curve to average; evaluate an object first")
    return tuple(
        float(np.mean([curve.after(n) for curve in curves])) for n in range(most + 1)
    )


def auc(curves: Sequence[ClickCurve], most: int = MOST) -> float:
    """Area under the mean IoU from 1 to ``most`` clicks, over its width: 0..1.

    BRS 4 normalises so, without saying how the area is summed up: here by trapezoids,
    straight lines from click to click.

    Raises
    ------
    ValueError
        If ``most`` is less than 2.
    """
    if most < 2:
        raise ValueError(f"an area needs at least 2 clicks, got {most}")
    means = mean_ious(curves, most)[1:]
    return float(np.mean([(a + b) / 2 for a, b in pairwise(means)]))


def mean_after(curves: Sequence[ClickCurve], series: str, clicks: int) -> float | None:
    """Mean of a series, such as "boundary_ious", after ``clicks`` clicks.

    Over the curves that have it; None if none does. A curve that ends before keeps its
    last value; infinite decidability and what is no number are left out.
    """
    values = [getattr(curve, series) for curve in curves]
    last = [value[min(clicks, len(value)) - 1] for value in values if value]
    finite = [value for value in last if np.isfinite(value)]
    return float(np.mean(finite)) if finite else None
