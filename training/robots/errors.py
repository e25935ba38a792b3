"""Where an answer is wrong, and how deep a wrong pixel lies."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg import Clicks
from napari_iseg.arrays import Mask, bounding_box

Depth: TypeAlias = NDArray[np.float32]  # (H, W), pixels
ROUNDED = 1000.0  # pixels


def wrong_pixels(
    truth: Mask, predicted: Mask, ignored: Mask | None
) -> tuple[Mask, Mask]:
    """What is missing and what is surplus; ignored pixels are neither."""
    counted = np.ones_like(truth) if ignored is None else ~ignored
    return truth & ~predicted & counted, ~truth & predicted & counted


def depth_of(errors: Mask, clicks: Clicks) -> Depth:
    """Distance of each wrong pixel to the nearest right one, ``(H, W)``.

    The image border counts as right; clicked pixels get 0. Exact Euclidean distance.
    """
    depth = np.zeros(errors.shape, np.float32)
    box = bounding_box(errors)
    if box is None:
        return depth
    padded = np.pad(errors[box.slices], 1)
    depth[box.slices] = exact_distance(padded)[1:-1, 1:-1]
    for click in clicks:
        depth[click.row, click.column] = 0
    return depth


def exact_distance(mask: Mask) -> Depth:
    """Distance of each true pixel to the nearest false one, 0 on false ones.

    OpenCV's roots differ in the last bit with the place in memory, so that equal depths
    are not equal. The squares are whole numbers, up to ``ROUNDED`` also after rounding:
    beyond, scipy is exact too, and ten times slower.
    """
    distance = cv2.distanceTransform(
        mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    if distance.max() > ROUNDED:
        return ndimage.distance_transform_edt(mask).astype(np.float32)
    distance *= distance
    return np.sqrt(np.rint(distance, out=distance), out=distance)


def error_depths(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None
) -> tuple[Depth, Depth]:
    """Depths of the missing and of the surplus pixels."""
    missing, surplus = wrong_pixels(truth, predicted, ignored)
    return depth_of(missing, clicks), depth_of(surplus, clicks)


def deeper_error(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None
) -> tuple[Depth, bool]:
    """Depths of the kind of error that is deeper, and whether that is what is missing.

    Surplus pixels come first where both are equally deep.
    """
    missing, surplus = error_depths(truth, predicted, clicks, ignored)
    is_positive = bool(missing.max() > surplus.max())
    return (missing if is_positive else surplus), is_positive


def without_clicked(mask: Mask, clicks: Clicks) -> Mask:
    """``mask`` as a new array, false on clicked pixels."""
    free = mask.copy()
    for click in clicks:
        free[click.row, click.column] = False
    return free
