"""Masks as a team wants them in CVAT: without holes, specks or in parts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_iseg.arrays import Mask
from napari_iseg.clicks import Click, Clicks
from napari_iseg.cvat.requests import BoxPrompt
from napari_iseg.cvat.settings import Settings
from napari_iseg.segmenter import Patch

BOX_MARGIN = 0.05  # of the longer side: nobody draws a box to the pixel


def cleaned(patch: Patch, clicks: Clicks, settings: Settings) -> list[Patch]:
    """The masks that ``settings`` make of one: 0 and 1 instead of probabilities.

    A hole with a negative click stays a hole, and a part with a positive one is kept
    however small it is.
    """
    mask = patch.mask()
    if settings.fill_holes:
        mask = mask | (_parts_without(~mask, patch, clicks.negative) & _holes(mask))
    if settings.smallest_area > 1:
        small = _smaller(mask, settings.smallest_area)
        mask = mask & ~(small & _parts_without(mask, patch, clicks.positive))
    parts = _split(mask) if settings.split_components else [mask]
    found = (part for part in parts if part.any())
    return [Patch(part.astype(np.float32), patch.offset) for part in found]


def inside_box(patch: Patch, box: BoxPrompt) -> Patch:
    """What of ``patch`` lies in ``box``, with a margin for the hand that drew it."""
    margin = 1 + BOX_MARGIN * max(box.right - box.left, box.bottom - box.top)
    top, left = patch.offset
    height, width = patch.probability.shape
    rows = np.arange(top, top + height) + 0.5
    columns = np.arange(left, left + width) + 0.5
    in_rows = (rows >= box.top - margin) & (rows <= box.bottom + margin)
    in_columns = (columns >= box.left - margin) & (columns <= box.right + margin)
    kept = in_rows[:, None] & in_columns[None]
    return Patch(np.where(kept, patch.probability, np.float32(0)), patch.offset)


def _holes(mask: Mask) -> Mask:
    from scipy import ndimage

    filled: Mask = ndimage.binary_fill_holes(mask)
    return filled & ~mask


def _parts_without(mask: Mask, patch: Patch, clicks: Iterable[Click]) -> Mask:
    """The connected parts of ``mask`` in which none of ``clicks`` lies."""
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    rows, columns = (range(n) for n in mask.shape)
    places = [(c.row - patch.offset[0], c.column - patch.offset[1]) for c in clicks]
    clicked = [parts[r, c] for r, c in places if r in rows and c in columns]
    return mask & ~np.isin(parts, clicked)


def _smaller(mask: Mask, area: int) -> Mask:
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    small: Mask = sizes[parts] < area
    return mask & small


def _split(mask: Mask) -> list[Mask]:
    from scipy import ndimage

    parts, count = ndimage.label(mask)
    return [parts == number for number in range(1, count + 1)]
