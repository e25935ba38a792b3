"""How an answer differs from the truth, and the click that this asks for."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask, bounding_box
from napari_iseg.clicks import Click, Clicks

Depth: TypeAlias = NDArray[np.float32]  # (H, W), pixels
Place: TypeAlias = tuple[int, int]  # row, column
ROUNDED = 1000.0  # pixels


def next_click(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None = None
) -> Click | None:
    """The click of RITM and f-BRS: the deepest wrong pixel, the first of several.

    Parameters
    ----------
    truth, predicted, ignored
        ``(H, W)``; ignored pixels are neither right nor wrong.
    clicks
        What was clicked before: never clicked again.

    Returns
    -------
    Positive only if the missing part is deeper than the surplus one; None if nothing
    that could be clicked is wrong.
    """
    depth, is_positive = deeper_error(truth, predicted, clicks, ignored)
    place = deepest(depth)
    return None if place is None else Click(*place, is_positive)


def iou(truth: Mask, predicted: Mask, ignored: Mask | None = None) -> float:
    """Intersection over union without the ignored pixels; 1 if both are empty."""
    if ignored is not None:
        truth, predicted = truth & ~ignored, predicted & ~ignored
    either = np.count_nonzero(truth | predicted)
    return np.count_nonzero(truth & predicted) / either if either else 1.0


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
    import cv2

    distance: Depth = cv2.distanceTransform(
        mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    if distance.max() > ROUNDED:
        from scipy import ndimage

        exact: Depth = ndimage.distance_transform_edt(mask).astype(np.float32)
        return exact
    distance *= distance
    np.rint(distance, out=distance)
    np.sqrt(distance, out=distance)
    return distance


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


def deepest(depth: Depth) -> Place | None:
    """The deepest pixel, the first of several; None if no pixel is deep at all."""
    at = int(depth.argmax())
    if depth.flat[at] <= 0:
        return None
    row, column = divmod(at, depth.shape[1])
    return row, column
