"""What a method without a network is given: a region and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid, Mask, Plane, ProbabilityMap

Seeds: TypeAlias = NDArray[np.int8]  # (h, w): 1 object, -1 background, 0 unknown


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """``image`` ``(h, w, 3)`` float32 in 0..1 and its ``seeds`` ``(h, w)``.

    At least one seed is an object's and one the background's. ``pixel`` is the side of
    one of its pixels in pixels of the image that it was made of.
    """

    image: Plane
    seeds: Seeds
    pixel: int = 1

    @property
    def grid(self) -> Grid:
        height, width = self.seeds.shape
        return height, width

    @property
    def object_seeds(self) -> Mask:
        return self.seeds > 0

    @property
    def background_seeds(self) -> Mask:
        return self.seeds < 0

    def reduced(self, factor: int) -> Scene:
        """The same ``factor`` times smaller; a coarse pixel takes its fine ones' seed.

        A coarse pixel with seeds of both kinds is unknown, unless it holds the only
        object seeds that there are.
        """
        if factor == 1:
            return self
        image = shrunk(self.image, factor)
        known = [
            shrunk((self.seeds == kind).astype(np.float32), factor) > 0
            for kind in (1, -1)
        ]
        seeds = known[0].astype(np.int8) - known[1].astype(np.int8)
        if not (seeds > 0).any():
            seeds[known[0]] = 1
        return Scene(image, seeds, self.pixel * factor)


class Method(Protocol):
    """A method without a network is a pure function of a scene."""

    def __call__(self, scene: Scene) -> ProbabilityMap:
        """``(h, w)`` float32 in 0..1, above 0.5 exactly where the object is."""
        ...


def shrunk(array: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """``(h, w[, C])`` to ``(ceil(h / factor), ceil(w / factor)[, C])`` by averages."""
    height, width = array.shape[:2]
    below, right = -height % factor, -width % factor
    padded = cv2.copyMakeBorder(array, 0, below, 0, right, cv2.BORDER_REPLICATE)
    size = (width + right) // factor, (height + below) // factor
    return cv2.resize(padded, size, interpolation=cv2.INTER_AREA)


def enlarged_to(array: NDArray[np.generic], factor: int, grid: Grid) -> NDArray:  # type: ignore[type-arg]
    """Each coarse pixel as a block of ``factor`` x ``factor`` fine ones, ``grid``."""
    whole = np.repeat(np.repeat(array, factor, 0), factor, 1)
    return whole[: grid[0], : grid[1]]
