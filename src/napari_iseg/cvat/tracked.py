"""A tracked object in one frame, and the small JSON that CVAT carries to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_iseg.arrays import Box, Grid, ImageLike, Mask, bounding_box
from napari_iseg.cvat import rle
from napari_iseg.cvat.appearance import Appearance
from napari_iseg.cvat.problems import MalformedRequestError, shown
from napari_iseg.cvat.requests import number
from napari_iseg.cvat.responses import Payload

RECTANGLE, MASK = "rectangle", "mask"
VERSION = 2  # of the states; others are refused
MOST_RUNS = 6000  # in a state, about 36 kB; a rougher mask becomes coarser there


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """An object where it was seen last.

    Attributes
    ----------
    kind
        "rectangle" or "mask": what CVAT's user tracks.
    mask
        ``(H, W)``, not empty.
    margins
        How much further than the mask the user's rectangle went: left, top, right and
        bottom, in pixels. It keeps them.
    appearance
        What it looked like.
    missed
        In how many frames since then it was not found.
    """

    kind: str
    mask: Mask
    margins: tuple[float, float, float, float]
    appearance: Appearance
    missed: int = 0

    @classmethod
    def seen(
        cls,
        image: ImageLike,
        kind: str,
        mask: Mask,
        margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    ) -> Tracked:
        """The object that ``mask`` shows in ``image``."""
        return cls(kind, mask, margins, Appearance.of(image, around(mask)))

    @property
    def points(self) -> list[float]:
        """The shape of ``kind`` as CVAT reads it."""
        if self.kind == MASK:
            return [float(value) for value in rle.encoded(self.mask)]
        own = corners(self.mask)
        height, width = self.mask.shape
        limits = (width, height, width, height)
        edges = zip(own, self.margins, limits, strict=True)
        left, top, right, bottom = (
            float(np.clip(edge + more, 0, most)) for edge, more, most in edges
        )
        # A rectangle drawn inside of its object, which then became smaller.
        if right - left < 1:
            left, right = float(own[0]), float(own[2])
        if bottom - top < 1:
            top, bottom = float(own[1]), float(own[3])
        return [left, top, right, bottom]

    @property
    def place(self) -> str:
        """What it is and where, for the log."""
        return f"{self.kind} at {corners(self.mask)}"

    @property
    def state(self) -> Payload:
        """All of it as JSON, most often 3 kB: CVAT's browser carries it along."""
        seen = self.appearance
        runs, coarseness = _few_runs(self.mask)
        return {
            "version": VERSION,
            "kind": self.kind,
            "grid": list(self.mask.shape),
            "mask": runs,
            "coarseness": coarseness,
            "margins": list(self.margins),
            "picture": seen.text,
            "seen": [*seen.picture.shape, seen.step, seen.top, seen.left],
            "missed": self.missed,
        }

    @classmethod
    def read(cls, state: Any, grid: Grid) -> Tracked:
        """From ``state``.

        Raises
        ------
        MalformedRequestError
            If it is none of ours, of another version or of an image of another size.
        """
        if not isinstance(state, dict) or state.get("version") != VERSION:
            raise MalformedRequestError(
                f"{shown(state)} is no state of this version of the tracker; begin "
                "the track anew"
            )
        try:
            return cls._read(state, grid)
        except (LookupError, TypeError, ValueError, OverflowError) as problem:
            raise MalformedRequestError(
                f"{shown(state)} is no state of this tracker: {problem}"
            ) from problem

    @classmethod
    def _read(cls, state: Payload, grid: Grid) -> Tracked:
        if state["grid"] != list(grid):
            raise ValueError(
                f"it is of an image of {shown(state['grid'])}, not {grid} pixels"
            )
        if state["kind"] not in (RECTANGLE, MASK):
            raise ValueError(f"nothing of the kind {shown(state['kind'])} is tracked")
        coarseness = _count("coarseness", state["coarseness"], least=1)
        mask = _read_mask(state["mask"], coarseness, grid)
        shape = [_count("seen", value) for value in state["seen"]]
        height, width, step, top, left = shape
        picture = Appearance.read(state["picture"], (height, width, step, top, left))
        if picture.seen.clipped_to(grid).is_empty:
            raise ValueError("its picture is from outside of the image")
        margins = [number("a margin", value) for value in state["margins"]]
        wide, high, right, bottom = margins
        missed = _count("missed", state["missed"])
        return cls(state["kind"], mask, (wide, high, right, bottom), picture, missed)


def around(mask: Mask) -> Box:
    """The box around a mask that is not empty."""
    box = bounding_box(mask)
    assert box is not None
    return box


def corners(mask: Mask) -> tuple[int, int, int, int]:
    """Left, top, right and bottom edge of a mask that is not empty."""
    box = around(mask)
    return box.left, box.top, box.right, box.bottom


def _few_runs(mask: Mask) -> tuple[list[int], int]:
    """Run lengths of ``mask``, and how many pixels a side are one of them."""
    coarseness = 1
    runs = rle.encoded(mask)
    while len(runs) > MOST_RUNS:
        coarseness *= 2
        runs = rle.encoded(_coarse(mask, coarseness))
    return runs, coarseness


def _coarse(mask: Mask, side: int) -> Mask:
    """One pixel for ``side`` x ``side`` of them: what most of them are."""
    padding = [(0, -length % side) for length in mask.shape]
    padded = np.pad(mask, padding)
    height, width = (length // side for length in padded.shape)
    parts = padded.reshape(height, side, width, side).mean(axis=(1, 3))
    most: Mask = parts >= min(0.5, parts.max())  # never empty
    return most


def _read_mask(runs: Any, coarseness: int, grid: Grid) -> Mask:
    height, width = (-(-length // coarseness) for length in grid)
    coarse = rle.decoded([_count("mask", run) for run in runs], (height, width))
    if not coarse.any():
        raise ValueError("its mask is empty")
    if coarseness == 1:
        return coarse
    fine = coarse.repeat(coarseness, axis=0).repeat(coarseness, axis=1)
    return fine[: grid[0], : grid[1]]


def _count(name: str, value: Any, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must hold whole numbers >= {least}")
    return value
