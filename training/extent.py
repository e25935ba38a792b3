"""How far a mask reaches."""

from __future__ import annotations

import math

import numpy as np

from napari_iseg.arrays import Box, Grid, Mask, bounding_box


def radius_of(mask: Mask) -> float:
    """Radius in pixels of a disc with as many pixels."""
    return math.sqrt(np.count_nonzero(mask) / math.pi)


def box_around(mask: Mask, reach: int) -> Box:
    """The bounding box of ``mask`` and ``reach`` pixels around it, inside the image.

    ``mask`` must hold a pixel.
    """
    box = bounding_box(mask)
    assert box is not None, "an empty mask has no surroundings"
    return widened(box, reach, mask.shape)


def widened(box: Box, reach: int, grid: Grid) -> Box:
    """``box`` with ``reach`` pixels around it, as far as the image goes."""
    return Box(
        box.top - reach, box.left - reach, box.bottom + reach, box.right + reach
    ).clipped_to(grid)
