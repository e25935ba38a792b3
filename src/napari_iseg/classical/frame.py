"""What is assumed of a region's frame: that it lies in the background.

The papers are silent about a history without a negative click, and a method without a
seed of the background has no answer. A frame pixel inside the image is background,
because a region grows until its frame is clear of the mask. One at the image's border
is background, too, unless it looks like the object: that may be cut off there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from napari_iseg.arrays import Box, Grid, Mask, Plane, ProbabilityMap
from napari_iseg.classical.colours import ColourModel
from napari_iseg.classical.scene import Scene


@dataclass(frozen=True, slots=True)
class Frame:
    """Which sides of a region lie at the image's border."""

    top: bool
    left: bool
    bottom: bool
    right: bool
    colours: ColourModel = field(default_factory=ColourModel)
    blur: int = 5  # pixels: one noisy pixel of the frame decides nothing

    @classmethod
    def of(cls, box: Box, grid: Grid) -> Frame:
        return cls(
            box.top == 0, box.left == 0, box.bottom == grid[0], box.right == grid[1]
        )

    def assumed(self, scene: Scene) -> Scene:
        """The scene with seeds of the background on its frame."""
        frame = sides(scene.grid, top=True, left=True, bottom=True, right=True)
        unknown = frame & (scene.seeds == 0)
        closed = replace(scene, seeds=np.where(unknown, np.int8(-1), scene.seeds))
        if not closed.background_seeds.any():
            return closed
        at_border = unknown & sides(
            scene.grid,
            top=self.top,
            left=self.left,
            bottom=self.bottom,
            right=self.right,
        )
        alike = at_border & (self.log_ratio(closed) > 0)
        seeds = np.where(alike, np.int8(0), closed.seeds)
        return replace(scene, seeds=seeds) if (seeds < 0).any() else closed

    def log_ratio(self, scene: Scene) -> Plane:
        smooth = cv2.blur(scene.image, (self.blur, self.blur))
        return self.colours.log_ratio(replace(scene, image=smooth))

    def continued(self, probability: ProbabilityMap) -> ProbabilityMap:
        """The image's border as the pixels beside it: it was only assumed."""
        height, width = probability.shape
        if height > 2:
            probability[0] = probability[int(self.top)]
            probability[-1] = probability[-1 - self.bottom]
        if width > 2:
            probability[:, 0] = probability[:, int(self.left)]
            probability[:, -1] = probability[:, -1 - self.right]
        return probability


def sides(grid: Grid, *, top: bool, left: bool, bottom: bool, right: bool) -> Mask:
    """True on the outermost pixels of the chosen sides, ``(h, w)``."""
    mask = np.zeros(grid, bool)
    mask[0] |= top
    mask[-1] |= bottom
    mask[:, 0] |= left
    mask[:, -1] |= right
    return mask
