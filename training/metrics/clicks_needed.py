"""How many clicks a goal takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.metrics.click_curve import MOST, ClickCurve


def mean_clicks(curves: Sequence[ClickCurve], target: float, most: int = MOST) -> float:
    """NoC: mean number of clicks to ``target``, a failure counted as ``most``."""
    needed = [curve.clicks_to(target) for curve in curves]
    return float(np.mean([most if n is None else n for n in needed]))


def failures(curves: Sequence[ClickCurve], target: float) -> float:
    """Share of objects that never reach ``target``."""
    return float(np.mean([curve.clicks_to(target) is None for curve in curves]))
