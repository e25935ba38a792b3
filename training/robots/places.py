"""Which pixel of a region is clicked."""

from __future__ import annotations

import numpy as np

from napari_iseg.arrays import Mask
from napari_iseg.clicks import Clicks
from napari_iseg.widest_error import Depth, Place
from training.robots.robot import Rng


def without_clicked(mask: Mask, clicks: Clicks) -> Mask:
    """``mask`` as a new array, false on clicked pixels."""
    free = mask.copy()
    for click in clicks:
        free[click.row, click.column] = False
    return free


def any_deepest(depth: Depth, rng: Rng) -> Place:
    """One of the deepest pixels."""
    return any_of(depth == depth.max(), rng)


def any_of(mask: Mask, rng: Rng) -> Place:
    """One of the true pixels, each as likely; there must be one."""
    return _place(int(rng.choice(np.flatnonzero(mask))), mask)


def drawn(weights: Depth, rng: Rng) -> Place | None:
    """A pixel, drawn in proportion to its weight; None if all weigh nothing."""
    heavy = np.flatnonzero(weights)
    if not heavy.size:
        return None
    reached = np.cumsum(weights.flat[heavy], dtype=np.float64)
    at = np.searchsorted(reached, rng.random() * reached[-1], side="right")
    return _place(int(heavy[min(int(at), heavy.size - 1)]), weights)


def centre_of(region: Mask, clickable: Mask) -> Place:
    """The clickable pixel that is nearest to the mean position of ``region``.

    The first of several; there must be one.
    """
    middle = np.argwhere(region).mean(axis=0)
    places = np.argwhere(clickable)
    nearest = ((places - middle) ** 2).sum(axis=1).argmin()
    row, column = places[nearest]
    return int(row), int(column)


def _place(at: int, array: Depth | Mask) -> Place:
    row, column = divmod(at, array.shape[1])
    return row, column
