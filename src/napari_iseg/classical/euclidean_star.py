"""Euclidean star convexity: straight rays to the nearest centre (Gulshan 2010)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg.classical.banded_cut import Parents
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.star_cut import StarCut


@dataclass(frozen=True, slots=True)
class Rays:
    """One step along the straight line to the nearest centre.

    Each step goes one pixel along the longer axis; whether also along the shorter one
    is decided so that the steps of a path spread evenly. (To take the neighbour that
    is nearest to the line would not do: a path then runs along the axis until it
    meets the line of slope one half.) After Chun, Korman, Noellenburg and Tokuyama,
    "Consistent digital rays", 2009: paths never part again where they have met, and
    stray from the line by the logarithm of its length at most.
    """

    def __call__(self, scene: Scene) -> Parents:
        at = np.indices(scene.grid)  # (2, h, w)
        nearest = ndimage.distance_transform_edt(
            ~scene.object_seeds, return_distances=False, return_indices=True
        )
        way = nearest - at
        away = np.abs(way)
        longest = away.max(0)
        share = away / np.maximum(longest, 1)  # 1 along the longer axis
        step = np.sign(way) * (spread(longest) < share)
        row, column = at + step
        parents: Parents = (row * scene.grid[1] + column).ravel()
        return parents


def spread(number: NDArray[np.integer]) -> NDArray[np.float64]:
    """Van der Corput's sequence: the bits of ``number`` mirrored, 0 <= answer < 1."""
    rest, weight = number.copy(), 0.5
    found = np.zeros(number.shape)
    while rest.any():
        found += weight * (rest & 1)
        rest >>= 1
        weight /= 2
    return found


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """Star convexity; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, StarCut(Rays()))
