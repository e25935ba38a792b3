"""CVAT's run lengths of a mask, cropped to its box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid, Mask, bounding_box


def encoded(mask: Mask, offset: tuple[int, int] = (0, 0)) -> list[int]:
    """Run lengths, then the box, of a mask; [] if nothing of it is true.

    Parameters
    ----------
    mask
        ``(h, w)``, the whole image or a part of it.
    offset
        Row and column of its first pixel in the image.

    Returns
    -------
    Lengths of runs row by row inside the box, false and true in turn and false first
    (its length may be 0), then ``left, top, right, bottom``, right and bottom being
    the last column and row that are inside. Plain integers.
    """
    box = bounding_box(mask)
    if box is None:
        return []
    top, left = offset
    lengths = run_lengths(mask[box.slices].ravel())
    corners = (box.left, box.top, box.right - 1, box.bottom - 1)
    shifts = (left, top, left, top)
    return lengths + [c + s for c, s in zip(corners, shifts, strict=True)]


def run_lengths(flat: NDArray[np.bool_]) -> list[int]:
    """Lengths of the runs of ``flat``, ``(n,)``, beginning with false ones."""
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if flat[0] else lengths


def decoded(points: Sequence[int], grid: Grid) -> Mask:
    """The mask on an image of shape ``grid`` that ``encoded`` came from.

    Raises
    ------
    ValueError
        If the runs do not fill the box or the box is not inside the image.
    """
    *runs, left, top, right, bottom = points
    height, width = bottom - top + 1, right - left + 1
    inside = 0 <= left <= right < grid[1] and 0 <= top <= bottom < grid[0]
    if not inside or min(runs, default=-1) < 0 or sum(runs) != height * width:
        raise ValueError(
            f"runs of {sum(runs)} pixels in the box {left, top, right, bottom} are no "
            f"mask of an image of {grid[0]} x {grid[1]} pixels"
        )
    mask = np.zeros(grid, bool)
    values = np.arange(len(runs)) % 2 == 1
    part = np.repeat(values, runs).reshape(height, width)
    mask[top : bottom + 1, left : right + 1] = part
    return mask
