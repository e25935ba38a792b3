"""Random walk: the seed that a walker who avoids contrast is likely to reach first.

Grady, "Random walks for image segmentation", PAMI 2006; the solver is scikit-image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import cv2
import numpy as np
from skimage.segmentation import random_walker

from napari_iseg.arrays import ProbabilityMap
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """The probability that the first seed met is the object's."""

    beta: float = 1000.0  # of eq. 1, times ten standard deviations of the intensities
    exact: int = 40_000  # pixels; a larger scene is solved in small

    def __call__(self, scene: Scene) -> ProbabilityMap:
        factor = ceil(sqrt(scene.seeds.size / self.exact))
        small = scene.reduced(factor)
        rough = self.solved(small)
        height, width = scene.grid
        return cv2.resize(rough, (width, height), interpolation=cv2.INTER_LINEAR)

    def solved(self, scene: Scene) -> ProbabilityMap:
        """The probabilities of every pixel of a scene."""
        if scene.seeds.all():
            return scene.object_seeds.astype(np.float32)
        inside, _ = random_walker(
            scene.image,
            np.where(scene.background_seeds, 2, scene.seeds).astype(np.int32),
            beta=self.beta,
            mode="bf",  # conjugate gradients hardly converge where contrast is strong
            prob_tol=1,  # rounding beyond 0..1 is cut off below
            return_full_prob=True,
            channel_axis=-1,
        )
        return np.clip(inside, 0, 1).astype(np.float32)


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """Random walk; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, RandomWalk())
