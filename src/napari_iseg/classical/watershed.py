"""Every object of an image without a click: threshold, then watershed of distances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from napari_iseg.arrays import Box, ImageLike, Labels, Mask
from napari_iseg.classical.instances import numbered
from napari_iseg.intensities import ScaledImage, plane_wide
from napari_iseg.segmenter import Progress, last_labels


@dataclass(frozen=True, slots=True)
class Watershed:
    """One object for each hill of the distance to the background.

    The background is the side of Otsu's threshold that holds more than half of the
    pixels, so that bright cells on black and stained ones on white are both found.
    Cells that cover more than half of the image, or differ from it by texture alone,
    are beyond this method.

    Attributes
    ----------
    smoothing
        Standard deviation in pixels of the blur before the threshold.
    depth
        Two hills are two objects if the saddle between them is this much lower, in
        pixels of distance: larger splits less.
    smallest_area
        Objects of fewer pixels are dust.
    """

    smoothing: float = 1.0
    depth: float = 1.0
    smallest_area: int = 16

    def segment(self, image: ImageLike) -> Labels:
        """``(H, W)``: 1, 2, ... on the objects, upper ones first; else 0."""
        return last_labels(self.parts(image))

    def parts(self, image: ImageLike) -> Iterator[Progress]:
        """All in one: its threshold is that of the whole image."""
        yield Progress(1, 1, self._labels(plane_wide(image)))

    def _labels(self, image: ScaledImage) -> Labels:
        grey = image.read(Box(0, 0, *image.grid)).mean(axis=2)
        grey = ndimage.gaussian_filter(grey, self.smoothing)
        distance = ndimage.distance_transform_edt(_foreground(grey))
        # A blur takes the steps out of the distance, which are no hills.
        height = ndimage.gaussian_filter(distance, 1.0)
        hills = h_maxima(height, self.depth)  # type: ignore[no-untyped-call]  # skimage
        tops, _ = ndimage.label(hills, np.ones((3, 3)))
        parts = watershed(-height, tops, mask=distance > 0)  # type: ignore[no-untyped-call]  # skimage
        return numbered(parts, self.smallest_area)


def build(*, device: str = "auto", weights: Path | None = None) -> Watershed:  # noqa: ARG001 - has none, runs on the processor
    """The method of the catalogue."""
    return Watershed()


def _foreground(grey: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Mask:
    if grey.min() == grey.max():
        return np.zeros(grey.shape, bool)
    bright: Mask = grey > threshold_otsu(grey)  # type: ignore[no-untyped-call]  # skimage
    rare = bright if bright.mean() <= 0.5 else ~bright
    filled: Mask = ndimage.binary_fill_holes(rare)
    return filled
