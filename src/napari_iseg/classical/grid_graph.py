"""The pixel grid as a graph: each pixel and its eight neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid, Plane

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # half of the eight: each pair once


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """All pairs of neighbours in an image: pixel numbers row by row, and distances.

    ``first`` and ``second`` ``(E,)`` int32, ``first < second`` never the same pair
    twice; ``distance`` ``(E,)`` float32 in pixels, 1 or the square root of 2.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    distance: NDArray[np.float32]

    def squared_differences(self, image: Plane) -> NDArray[np.float32]:
        """Squared Euclidean colour difference of each pair, ``(E,)``."""
        height, width = image.shape[:2]
        found = []
        for down, right in STEPS:
            one, other = (image[part] for part in _parts(height, width, down, right))
            found.append(np.square(one - other).sum(2).ravel())
        return np.concatenate(found)


@lru_cache(maxsize=8)
def pairs_of(grid: Grid) -> Pairs:
    """The pairs of neighbours of an image of shape ``grid``."""
    height, width = grid
    number = np.arange(height * width, dtype=np.int32).reshape(grid)
    first, second, distance = [], [], []
    for down, right in STEPS:
        one, other = (number[part] for part in _parts(height, width, down, right))
        first.append(one.ravel())
        second.append(other.ravel())
        distance.append(np.full(one.size, np.hypot(down, right), np.float32))
    return Pairs(
        np.concatenate(first), np.concatenate(second), np.concatenate(distance)
    )


def _parts(
    height: int, width: int, down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the first and where the second pixels of the pairs of one step lie."""
    left = max(0, -right)
    across = slice(left, width - max(0, right))
    moved = slice(left + right, width - max(0, right) + right)
    return (slice(0, height - down), across), (slice(down, height), moved)
