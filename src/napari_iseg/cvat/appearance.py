"""What an object looked like: a small picture that finds it in the next frame."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, ImageLike
from napari_iseg.intensities import ScaledImage

SIDE = 32  # of the picture: about 1.4 kB in base64
REACH = 0.75  # how far an object may go between two frames, in its longer sides
# Correlation; below it nothing there is the object. Of 339 yeasts one or three frames
# apart 98 % are above it, and so are 4 % of places where the yeast is not.
LEAST_LIKENESS = 0.4
LEAST_CONTRAST = 1.0  # standard deviation of 0..255; less is nothing to look for
MARGIN = 0.25  # of the object's longer side, shown around it


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """A picture of ``(h, w)`` uint8, each pixel of it ``step`` pixels of the image.

    ``top`` and ``left`` say where in the image it was taken.
    """

    picture: NDArray[np.uint8]
    step: int
    top: int
    left: int

    @classmethod
    def of(cls, image: ImageLike, box: Box) -> Appearance:
        """What is in ``box`` and around it."""
        seen = _grown(box, MARGIN).clipped_to(ScaledImage(image).grid)
        step = max(1, ceil(max(seen.shape) / SIDE))
        return cls(_picture(image, seen, step), step, seen.top, seen.left)

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands out in the picture, so that it finds nothing."""
        return float(self.picture.std()) < LEAST_CONTRAST

    @property
    def seen(self) -> Box:
        """What of its image the picture shows; may reach over the border."""
        height, width = (side * self.step for side in self.picture.shape)
        return Box(self.top, self.left, self.top + height, self.left + width)

    def shift(self, image: ImageLike, box: Box) -> tuple[int, int] | None:
        """Rows and columns that what was in ``box`` has moved to be in ``image``.

        None where nothing near is like it.
        """
        import cv2  # slow to import

        seen = self.seen
        reach = ceil(REACH * max(box.shape) / self.step) * self.step
        top = seen.top - min(reach, seen.top // self.step * self.step)
        left = seen.left - min(reach, seen.left // self.step * self.step)
        around = Box(top, left, seen.bottom + reach, seen.right + reach)
        region = _picture(image, around.clipped_to(ScaledImage(image).grid), self.step)
        fits = np.all(np.subtract(region.shape, self.picture.shape) >= 0)
        if not fits or region.std() < LEAST_CONTRAST:
            return None
        likeness = cv2.matchTemplate(region, self.picture, cv2.TM_CCOEFF_NORMED)
        likeness = np.nan_to_num(likeness, posinf=0)
        if likeness.max() < LEAST_LIKENESS:
            return None
        row, column = np.unravel_index(int(likeness.argmax()), likeness.shape)
        rows = top + int(row) * self.step - seen.top
        return rows, left + int(column) * self.step - seen.left

    @property
    def text(self) -> str:
        """The picture in base64."""
        return b64encode(self.picture.tobytes()).decode()

    @classmethod
    def read(cls, text: str, shape: tuple[int, int, int, int, int]) -> Appearance:
        """From ``text`` and height, width, step, top and left.

        Raises
        ------
        ValueError
            If they do not fit.
        """
        height, width, step, top, left = shape
        if min(height, width, step) < 1 or min(top, left) < 0:
            raise ValueError(f"no picture has the shape and place {shape}")
        pixels = np.frombuffer(b64decode(text, validate=True), np.uint8)
        return cls(pixels.reshape(height, width), step, top, left)


def _grown(box: Box, part: float) -> Box:
    more = ceil(part * max(box.shape))
    return Box(box.top - more, box.left - more, box.bottom + more, box.right + more)


def _picture(image: ImageLike, box: Box, step: int) -> NDArray[np.uint8]:
    grey = ScaledImage(image).read(box).mean(axis=2)
    height, width = (max(1, side // step) for side in grey.shape)
    down, across = (min(step, side) for side in grey.shape)
    cut = grey[: height * down, : width * across]
    means = cut.reshape(height, down, width, across).mean(axis=(1, 3))
    picture: NDArray[np.uint8] = (means.clip(0, 1) * 255).astype(np.uint8)
    return picture
