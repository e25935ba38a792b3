"""Whole-image inference, as the papers have it: one window that holds all of it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from napari_iseg.arrays import Grid, ImageLike, Mask, ProbabilityMap
from napari_iseg.clicks import Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.refine.windowed import (
    CONSTANT,
    State,
    Windowed,
    WindowedPredictor,
    checked,
    empty_patch,
)
from napari_iseg.segmenter import Patch
from napari_iseg.windows import Window

MULTIPLE = 16  # of which the side of the window is one: ``cells`` needs it


@dataclass(frozen=True, slots=True)
class Whole(Windowed):
    """A segmenter that shows its network the whole image each time.

    Up to ``longest`` pixels a side in its own pixels, larger ones smaller; what is
    missing to a square is filled with the image's mean. For photographs: a cell in a
    slide would be a speck.
    """

    longest: int = 480

    @classmethod
    def of(cls, segmenter: Windowed, longest: int = 480) -> Whole:
        """The same network and policy, on whole images."""
        same = {f.name: getattr(segmenter, f.name) for f in fields(Windowed)}
        return cls(**same, longest=longest)

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> WindowedPredictor:
        """See ``Windowed.prepare``."""
        return WholePredictor(self, checked(image, prior, others), prior, others)


class WholePredictor(WindowedPredictor):
    """See ``Predictor``; made by ``Whole.prepare``."""

    def __init__(
        self,
        segmenter: Whole,
        image: ScaledImage,
        prior: ProbabilityMap | Patch | None,
        others: Mask | None,
    ) -> None:
        super().__init__(segmenter, image, prior, others)
        self.whole = window_on(self.grid, segmenter.longest)

    def first_look(self, clicks: Clicks) -> State:
        if not np.ptp(self.reader.show(self.whole)) > 0:
            return State(empty_patch(), remark=CONSTANT)
        found = self.zoomed(State(empty_patch()), clicks)
        return self.finished(found, clicks, found.alternatives[1:])

    def window_for(self, state: State, clicks: Clicks) -> Window:  # noqa: ARG002 - always the same
        return self.whole


def window_on(grid: Grid, longest: int) -> Window:
    """The window that holds an image of shape ``grid``, about its middle."""
    side = -(-min(max(grid), longest) // MULTIPLE) * MULTIPLE
    extent = side if max(grid) <= longest else max(grid)
    return Window.around((grid[0] - 1) / 2, (grid[1] - 1) / 2, extent, side)
