"""Regions between clicks: where a positive and a negative one are, the outline is.

RIS-Net (Liew et al., ICCV 2017), section 3.2.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_iseg.arrays import Box, Grid
from napari_iseg.clicks import Click, Clicks

LEAST = 8  # pixels a side: one cell of conv7. The paper has no lower limit


def regions_of(clicks: Clicks, grid: Grid) -> list[Box]:
    """One square for each positive click, spanned with the nearest negative one.

    The whole image where there are no pairs. Of two clicks that are as near the earlier
    one is taken.
    """
    if not clicks.positive or not clicks.negative:
        return [Box(0, 0, *grid)]
    return [
        spanned(one, nearest(one, clicks.negative), grid) for one in clicks.positive
    ]


def nearest(click: Click, others: Sequence[Click]) -> Click:
    """The one of ``others`` that is nearest to ``click``; the first of several."""

    def away(other: Click) -> int:
        return (click.row - other.row) ** 2 + (click.column - other.column) ** 2

    return min(others, key=away)


def spanned(one: Click, other: Click, grid: Grid) -> Box:
    """The square whose longer side two clicks span, moved into the image."""
    high, wide = abs(one.row - other.row) + 1, abs(one.column - other.column) + 1
    side = max(high, wide, LEAST)
    top = min(one.row, other.row) - (side - high) // 2
    left = min(one.column, other.column) - (side - wide) // 2
    return moved_inside(Box(top, left, top + side, left + side), grid)


def moved_inside(box: Box, grid: Grid) -> Box:
    """``box`` moved into an image of shape ``grid``; cut where it is too large."""
    (height, width), (rows, columns) = box.shape, grid
    down = max(0, -box.top) - max(0, box.bottom - rows)
    right = max(0, -box.left) - max(0, box.right - columns)
    down = -box.top if height > rows else down
    right = -box.left if width > columns else right
    return box.moved(down, right).clipped_to(grid)
