"""What a network for dense segmentation is to say of labelled cells."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.images import IGNORED

BACKGROUND, CELL, BORDER = range(3)  # see napari_iseg.nets.unet.CELL_CLASSES


def nearest_two(
    labels: NDArray[np.int32], reach: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distances to the nearest and to the second nearest object, pixels.

    Parameters
    ----------
    labels
        ``(H, W)``: 0 is background, ``IGNORED`` is no object.
    reach
        What lies further away is said to be this far.

    Returns
    -------
    Two arrays ``(H, W)``, 0 to ``reach``; on an object the first is 0.
    """
    first = np.full(labels.shape, reach, np.float32)
    second = first.copy()
    known = np.where(labels == IGNORED, 0, labels)
    margin = int(np.ceil(reach))
    for label, box in enumerate(ndimage.find_objects(known), start=1):
        if box is None:
            continue
        around = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
        outside = (known[around] != label).astype(np.uint8)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        away = np.sqrt(np.rint(away**2))  # squares are whole; the last bit is not sure
        nearest, other = first[around], second[around]
        other[...] = np.minimum(other, np.maximum(nearest, away))
        nearest[...] = np.minimum(nearest, away)
    return first, second


def cell_classes(
    labels: NDArray[np.int32], second: NDArray[np.float32], near: float
) -> NDArray[np.uint8]:
    """``BACKGROUND``, ``CELL`` or ``BORDER`` for each pixel, ``(H, W)``.

    A border is a cell's pixel that is no more than ``near`` pixels away from another
    cell (``second``: distances to the second nearest object). So cells and borders
    together are exactly the foreground, and cells alone never touch.
    """
    is_cell = (labels > 0) & (labels != IGNORED)
    classes = np.where(is_cell, CELL, BACKGROUND).astype(np.uint8)
    classes[is_cell & (second <= near)] = BORDER
    return classes


def seam_weight(
    first: NDArray[np.float32], second: NDArray[np.float32], most: float, width: float
) -> NDArray[np.float32]:
    """How much a pixel's loss counts, 1 to 1 + ``most`` (Ronneberger, eq. 2).

    More where two objects are close: ``most`` is the paper's w0, ``width`` its sigma in
    pixels.
    """
    both = first.astype(np.float64) + second
    return (1 + most * np.exp(-(both**2) / (2 * width**2))).astype(np.float32)
