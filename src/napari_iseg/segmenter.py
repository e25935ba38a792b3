"""The seam between methods and everything that uses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from napari_iseg.arrays import Box, Grid, ImageLike, Labels, Mask, ProbabilityMap
from napari_iseg.clicks import Clicks


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A probability map without the image-sized array around it.

    ``probability`` is ``(h, w)`` float32 in 0..1; its first pixel is the image's pixel
    ``offset`` (row, column). Outside of it nothing is above 0.5.
    """

    probability: ProbabilityMap
    offset: tuple[int, int]

    @property
    def box(self) -> Box:
        height, width = self.probability.shape
        top, left = self.offset
        return Box(top, left, top + height, left + width)

    def mask(self, threshold: float = 0.5) -> Mask:
        return self.probability > threshold

    def on(self, grid: Grid) -> ProbabilityMap:
        """The same map on the whole image of shape ``grid``, zero outside the patch."""
        whole = np.zeros(grid, np.float32)
        whole[self.box.slices] = self.probability
        return whole

    def at(self, row: int, column: int) -> float:
        """Probability at one pixel of the image; 0 outside the patch."""
        box = self.box
        if not (box.top <= row < box.bottom and box.left <= column < box.right):
            return 0.0
        return float(self.probability[row - box.top, column - box.left])


class Predictor(Protocol):
    """A method that has already looked at one image.

    The answer is a function of ``clicks`` alone: what a predictor remembers may only
    save time. No click at all gives an empty map.
    """

    @property
    def grid(self) -> Grid:
        """Height and width of the image."""
        ...

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        """``(H, W)`` float32 in 0..1.

        Raises
        ------
        ValueError
            If a click lies outside the image.
        """
        ...

    def predict_patch(self, clicks: Clicks) -> Patch:
        """The same without the image-sized array."""
        ...

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        """Every hypothesis with its score in 0..1, best first; never empty.

        The first is ``predict(clicks)``.
        """
        ...

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        """The same without image-sized arrays."""
        ...


class Segmenter(Protocol):
    """A method, with its weights and settings, for any image."""

    def prepare(
        self,
        image: ImageLike,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> Predictor:
        """Look at one image.

        Parameters
        ----------
        image
            ``(H, W)`` or ``(H, W, C)``; any number type; numpy, dask or zarr.
        prior
            ``(H, W)``, 0..1: a segmentation to start from; or a patch of it.
        others
            ``(H, W)``, true on objects that are already accepted. May be lazy: only
            windows of it are read.

        Raises
        ------
        ValueError
            If a shape does not fit or the image has no pixel.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """How much of an image was looked at: ``done`` of ``total`` parts.

    ``labels`` is the answer, and comes with the last part.
    """

    done: int
    total: int
    labels: Labels | None = None


class AutomaticSegmenter(Protocol):
    """A method that finds every object of an image by itself."""

    def segment(self, image: ImageLike) -> Labels:
        """One number for each object, 0 on the background.

        Parameters
        ----------
        image
            ``(H, W)`` or ``(H, W, C)``; any number type.

        Raises
        ------
        ValueError
            If the shape is another or there is no pixel.
        """
        ...

    def parts(self, image: ImageLike) -> Iterator[Progress]:
        """The same part by part; whoever asks for no further part has cancelled.

        Nothing is computed before the first part is asked for, and nothing between
        two parts. Errors as in ``segment``, with the first part.
        """
        ...


def last_labels(parts: Iterable[Progress]) -> Labels:
    """What an automatic method found, when it has gone through all its ``parts``."""
    *_, last = parts
    assert last.labels is not None  # the protocol says so
    return last.labels
