"""Which pixel of a region is clicked."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from napari_iseg.arrays import Mask
from training.robots.errors import Depth
from training.robots.robot import Rng

Place: TypeAlias = tuple[int, int]  # row, column


def deepest(depth: Depth) -> Place | None:
    """The deepest pixel, the first of several; None if no pixel is deep at all."""
    at = int(depth.argmax())
    return _place(at, depth) if depth.flat[at] > 0 else None


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
