"""GrabCut: graph cut that learns its colour models from its own answer; OpenCV's.

Rother, Kolmogorov and Blake, "GrabCut: interactive foreground extraction using
iterated graph cuts", SIGGRAPH 2004.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, sqrt
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask, ProbabilityMap
from napari_iseg.classical.banded_cut import near_outline
from napari_iseg.classical.colours import ColourModel
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene, enlarged_to

COMPONENTS = 5  # Gaussians of OpenCV's mixtures: it needs as many pixels to begin with
MODEL = 65  # numbers of such a mixture


@dataclass(frozen=True, slots=True)
class GrabCut:
    """Iterated in small, then once more in full along the outline.

    The paper begins with all that is inside of a rectangle. There is none here: what
    is more likely the object's by the colours of the seeds begins as the object.
    """

    iterations: int = 5
    exact: int = 40_000  # pixels; a larger scene is iterated in small
    half_width: int = 2  # of the last cut's band, in pixels of the small scene
    colours: ColourModel = field(default_factory=ColourModel)

    def __call__(self, scene: Scene) -> ProbabilityMap:
        factor = ceil(sqrt(scene.seeds.size / self.exact))
        small = scene.reduced(factor)
        models = np.zeros((1, MODEL)), np.zeros((1, MODEL))
        state = begun(small, self.colours.log_ratio(small) > 0)
        if min((state % 2).sum(), (1 - state % 2).sum()) < COMPONENTS:
            return scene.object_seeds.astype(np.float32)
        cv2.setRNGSeed(0)  # its clustering is random: equal clicks, equal answers
        mode = cv2.GC_INIT_WITH_MASK
        cv2.grabCut(eight_bit(small), state, None, *models, self.iterations, mode)
        rough = enlarged_to(state % 2 > 0, factor, scene.grid)
        if factor == 1:
            return rough.astype(np.float32)
        band = near_outline(rough, factor * self.half_width)
        state = begun(scene, rough)
        state[~band & (scene.seeds == 0)] -= 2  # off the band: certain
        cv2.grabCut(eight_bit(scene), state, None, *models, 1, cv2.GC_EVAL)
        return (state % 2).astype(np.float32)


def begun(scene: Scene, likely: Mask) -> NDArray[np.uint8]:
    """OpenCV's four states: seeds are certain, the rest probable."""
    state = np.where(likely, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    around = cv2.dilate(scene.object_seeds.astype(np.uint8), np.ones((3, 3), np.uint8))
    state[around > 0] = cv2.GC_PR_FGD  # never fewer pixels than components
    state[scene.background_seeds] = cv2.GC_BGD
    state[scene.object_seeds] = cv2.GC_FGD
    return state


def eight_bit(scene: Scene) -> NDArray[np.uint8]:
    """The image as OpenCV reads it."""
    return np.rint(scene.image * 255).astype(np.uint8)


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """GrabCut; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, GrabCut())
