"""How far an answer follows the clicks near them."""

from __future__ import annotations

import math

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask, ProbabilityMap
from napari_iseg.click_maps import disc_map, points_of

RADIUS = 10.0  # pixels


def decidability_index(
    probability: ProbabilityMap,
    clicks: Clicks,
    truth: Mask,
    ignored: Mask | None = None,
    *,
    radius: float = RADIUS,
) -> float:
    """How well the answers near positive and near negative clicks separate.

    FCTSFN eq. 2: the distance of the two means over the root of the mean of the two
    variances. Without negative clicks the whole background stands for their
    surroundings, without positive ones the whole object (FCTSFN 4.2).

    Parameters
    ----------
    probability, truth, ignored
        ``(H, W)``; ignored pixels are left out.
    clicks
        All clicks so far. A pixel near two clicks of a kind is counted once.
    radius
        Pixels up to this distance from a click are near it.

    Returns
    -------
    >= 0; infinite where both kinds of answers are constant and differ, as in a mask of
    0 and 1; not a number where there is nothing to compare.
    """
    counted = np.ones_like(truth) if ignored is None else ~ignored
    near = _near(clicks.positive, truth, radius) & counted
    far = _near(clicks.negative, ~truth, radius) & counted
    inside, outside = probability[near], probability[far]
    if not inside.size or not outside.size:
        return math.nan
    apart = abs(inside.mean(dtype=float) - outside.mean(dtype=float))
    spread = math.sqrt((inside.var(dtype=float) + outside.var(dtype=float)) / 2)
    if spread == 0:
        return math.inf if apart else 0.0
    return float(apart / spread)


def _near(clicks: tuple[Click, ...], otherwise: Mask, radius: float) -> Mask:
    """Pixels near ``clicks``; without clicks, ``otherwise``."""
    if not clicks:
        return otherwise
    inside: Mask = (
        disc_map(points_of(clicks), otherwise.shape, radius) >= 1
    )  # its edge is soft
    return inside
