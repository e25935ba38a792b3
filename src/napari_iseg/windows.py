"""Square windows of an image in the size that a network reads, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Grid, Plane
from napari_iseg.clicks import Click
from napari_iseg.intensities import ScaledImage

FINEST = 3  # source pixels per window pixel above which pixels are skipped on reading


@dataclass(frozen=True, slots=True)
class Window:
    """``extent`` source pixels a side shown with ``side``; may leave the image."""

    top: int
    left: int
    extent: int
    side: int

    @classmethod
    def around(cls, row: float, column: float, extent: float, side: int) -> Window:
        """The window whose middle is closest to ``(row, column)``."""
        whole = max(1, round(extent))
        top, left = (round(v + 0.5 - whole / 2) for v in (row, column))
        return cls(top, left, whole, side)

    @property
    def box(self) -> Box:
        return Box(self.top, self.left, self.top + self.extent, self.left + self.extent)

    @property
    def scale(self) -> float:
        """Window pixels per source pixel."""
        return self.side / self.extent

    def point(self, click: Click) -> tuple[float, float]:
        """A click's place in window pixels; pixel centres lie on integers."""
        row = (click.row - self.top + 0.5) * self.scale - 0.5
        column = (click.column - self.left + 0.5) * self.scale - 0.5
        return row, column

    def holds(self, click: Click) -> bool:
        box = self.box
        return (
            box.top <= click.row < box.bottom and box.left <= click.column < box.right
        )


class Reader:
    """Shows windows of one image; a region may be held so that it is read only once."""

    def __init__(self, image: ScaledImage) -> None:
        self.image = image
        self.held: tuple[Box, NDArray[np.generic]] | None = None

    def hold(self, box: Box) -> None:
        """Read ``box`` now, for all windows inside of it."""
        inside = box.clipped_to(self.image.grid)
        self.held = inside, self.image.raw(inside)

    def pixels(self, box: Box, step: int) -> Plane:
        """The pixels of a box inside the image, from what is held if they are there."""
        if self.held is not None and self.held[0].union(box) == self.held[0]:
            place, raw = self.held
            rows, columns = box.moved(-place.top, -place.left).slices
            return self.image.shown(raw[rows, columns][::step, ::step])
        return self.image.read(box, step)

    def show(self, window: Window) -> Plane:
        """What the network sees, ``(side, side, 3)``; beyond the image: its mean."""
        inside = window.box.clipped_to(self.image.grid)
        step = max(1, window.extent // (FINEST * window.side))
        pixels = self.pixels(inside, step)
        if inside == window.box:
            return resized(pixels, window.side)
        height, width = (-(-window.extent // step),) * 2
        canvas = np.empty((height, width, 3), np.float32)
        canvas[:] = pixels.mean((0, 1))
        top, left = (
            (inside.top - window.top) // step,
            (inside.left - window.left) // step,
        )
        fitting = pixels[: height - top, : width - left]
        canvas[top : top + fitting.shape[0], left : left + fitting.shape[1]] = fitting
        return resized(canvas, window.side)


def resized(array: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """``(n, n[, C])`` to ``(side, side[, C])``: averages when shrinking."""
    if array.shape[:2] == (side, side):
        return np.ascontiguousarray(array)
    shrinks = array.shape[0] > side
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(array), (side, side), interpolation=how)


def view(
    array: NDArray[np.float32], offset: tuple[int, int], window: Window
) -> NDArray[np.float32]:
    """A map that begins at ``offset`` as seen in ``window``; 0 outside of it."""
    top, left = offset
    box = Box(top, left, top + array.shape[0], left + array.shape[1])
    shown = box.intersection(window.box)
    canvas = np.zeros((window.extent, window.extent), np.float32)
    if not shown.is_empty:
        part = shown.moved(-top, -left).slices
        canvas[shown.moved(-window.top, -window.left).slices] = array[part]
    return resized(canvas, window.side)


def back(
    map_: NDArray[np.float32], window: Window, grid: Grid
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """A window's map in source pixels, cut to the image, and its offset."""
    inside = window.box.clipped_to(grid)
    whole = resized(map_, window.extent)
    return whole[inside.moved(-window.top, -window.left).slices], (
        inside.top,
        inside.left,
    )
