"""Pixels that keep their distance: from outlines, and from each other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.widest_error import Depth, Place

Rng = np.random.Generator
Places = NDArray[np.int64]  # (n, 2), row and column


def depth_inside(mask: Mask) -> Depth:
    """Distance of each true pixel to the nearest false one; beyond the image is false.

    Pixels at the outline have depth 1.
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inner: Depth = depth[1:-1, 1:-1]
    return inner


def distance_from(mask: Mask) -> Depth:
    """Distance of each pixel to the nearest true one; infinite if there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    distance: Depth = cv2.distanceTransform(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return distance


def spaced(allowed: Mask, number: int, step: float, rng: Rng) -> list[Place]:
    """Up to ``number`` random true pixels of ``allowed``, at least ``step`` apart.

    Fewer where there is no room for more.
    """
    free = np.argwhere(allowed)
    found: list[Place] = []
    while len(found) < number and len(free):
        row, column = (int(v) for v in free[rng.integers(len(free))])
        found.append((row, column))
        free = free[np.hypot(*(free - (row, column)).T) >= max(step, 1)]
    return found


def covering(allowed: Mask, number: int, rng: Rng) -> list[Place]:
    """``number`` true pixels that cover ``allowed``: the first by lot.

    Each next one is where the distance is greatest to all before and to what is not
    allowed. In a band that is the same nearly everywhere in its middle: of pixels that
    differ by less than one, the one that is farthest from all before is taken, or the
    clicks would crowd where pixels begin to be counted. Fewer if there are fewer.
    """
    inside = np.argwhere(allowed)
    if not len(inside):
        return []
    deep = depth_inside(allowed)[allowed]
    away = np.full(len(inside), np.inf)
    at = int(rng.integers(len(inside)))
    found: list[Place] = []
    for _ in range(min(number, len(inside))):
        row, column = (int(v) for v in inside[at])
        found.append((row, column))
        away = np.minimum(away, np.hypot(*(inside - (row, column)).T))
        reach = np.minimum(deep, away)
        at = int(np.where(reach > reach.max() - 1, away, -1).argmax())
    return found
