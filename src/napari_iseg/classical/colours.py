"""How likely a colour is in the object and in the background, learned from seeds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg.arrays import Plane
from napari_iseg.classical.scene import Scene

LAB_LOW = np.array([0, -100, -100], np.float32)
LAB_SPAN = np.array([100, 200, 200], np.float32)


@dataclass(frozen=True, slots=True)
class ColourModel:
    """A smoothed histogram in colour space for each of the two kinds of seeds.

    Boykov and Jolly (2001) use histograms, Bai and Sapiro (2007)
    kernel density estimates; a histogram that is smoothed by the kernel is both.
    """

    bins: int = 32  # per channel
    bandwidth: float = 0.06  # standard deviation of the kernel, of 0..1
    uniform: float = 0.05  # share of a uniform density: a new colour is no proof

    def log_ratio(self, scene: Scene) -> NDArray[np.float32]:
        """``log p(colour | object) - log p(colour | background)``, ``(h, w)``."""
        cells = self.cells(scene.image)
        inside, outside = (
            np.log(self.density(cells[seeds]))
            for seeds in (scene.object_seeds, scene.background_seeds)
        )
        ratio: NDArray[np.float32] = (inside - outside).astype(np.float32)[cells]
        return ratio

    def cells(self, image: Plane) -> NDArray[np.int64]:
        """The number of each pixel's cell in the histogram, ``(h, w)``."""
        steps = np.clip(image * self.bins, 0, self.bins - 1).astype(np.int64)
        numbers: NDArray[np.int64] = steps @ (self.bins ** np.arange(2, -1, -1))
        return numbers

    def density(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """The mean height over the unit cube is 1; ``(bins**3,)``."""
        count = self.bins**3
        counted = np.bincount(cells, minlength=count).astype(np.float32)
        cube = counted.reshape((self.bins,) * 3)
        smooth = ndimage.gaussian_filter(
            cube, self.bandwidth * self.bins, mode="nearest", truncate=3
        ).ravel()
        share = smooth * (count / smooth.sum())
        return (1 - self.uniform) * share.astype(np.float64) + self.uniform


def in_lab(image: Plane) -> Plane:
    """RGB as L*a*b*, each channel scaled to about 0..1."""
    lab = cv2.cvtColor(np.clip(image, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    return (lab - LAB_LOW) / LAB_SPAN
