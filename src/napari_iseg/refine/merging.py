"""Putting a new answer into the old one: what is far from the click stays as it was."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg.arrays import EVERYWHERE, Mask
from napari_iseg.clicks import Click, Clicks
from napari_iseg.segmenter import Patch

CUT_OFF = np.float32(0.4)  # probability of what was foreground, and is another's


def on_box_of(patch: Patch, like: Patch) -> Patch:
    """``patch`` cut or filled with zeros to the box of ``like``."""
    shown = patch.box.intersection(like.box)
    canvas = np.zeros(like.probability.shape, np.float32)
    if not shown.is_empty:
        source = shown.moved(-patch.offset[0], -patch.offset[1]).slices
        canvas[shown.moved(-like.offset[0], -like.offset[1]).slices] = (
            patch.probability[source]
        )
    return Patch(canvas, like.offset)


def progressive(old: Patch, new: Patch, click: Click) -> Patch:
    """The change around ``click`` only, the rest as in ``old`` (FocalClick, 3.3).

    Both patches cover the old mask. The connected parts in which the two masks differ
    are found; the one at the click is taken over, or the nearest one.
    """
    old = on_box_of(old, new)
    changed = old.mask() != new.mask()
    if not changed.any():
        return old
    parts, _ = ndimage.label(changed, EVERYWHERE)
    rows, columns = np.nonzero(changed)
    away = np.hypot(
        rows + new.offset[0] - click.row, columns + new.offset[1] - click.column
    )
    nearest = int(away.argmin())
    taken = parts == parts[rows[nearest], columns[nearest]]
    near = ndimage.binary_dilation(taken, EVERYWHERE, 2) & (
        taken | (new.mask() == old.mask())
    )
    return Patch(np.where(near, new.probability, old.probability), new.offset)


def clicked_parts(patch: Patch, clicks: Clicks) -> Patch:
    """Only the connected parts that a positive click lies in; all if there is none."""
    others = unclicked(patch, clicks)
    is_any_clicked = not np.array_equal(others, patch.mask())
    return without(patch, others) if is_any_clicked else patch


def unclicked(patch: Patch, clicks: Clicks) -> Mask:
    """The connected parts that no positive click lies in, of the patch's shape."""
    others = patch.mask()
    if not others.any():
        return others
    # OpenCV's takes half of SciPy's time, and every look at a window asks for it.
    _, parts = cv2.connectedComponents(others.astype(np.uint8), connectivity=8)
    for part in {label_at(parts, patch, click) for click in clicks.positive}:
        others &= parts != part
    return others


def without(patch: Patch, others: Mask) -> Patch:
    """Less some of its foreground, ``others`` of the patch's shape."""
    if not others.any():
        return patch
    return Patch(np.where(others, CUT_OFF, patch.probability), patch.offset)


def label_at(parts: NDArray[Any], patch: Patch, click: Click) -> int:
    """The part that a click lies in; 0 outside the patch."""
    row, column = click.row - patch.offset[0], click.column - patch.offset[1]
    inside = 0 <= row < parts.shape[0] and 0 <= column < parts.shape[1]
    return int(parts[row, column]) if inside else 0
