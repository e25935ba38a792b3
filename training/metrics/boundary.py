"""How well an outline follows the truth's."""

from __future__ import annotations

import math

import cv2
import numpy as np

from napari_iseg.arrays import Mask, bounding_box
from napari_iseg.widest_error import iou

DILATION = 0.02  # of the image's diagonal


def boundary_iou(
    truth: Mask,
    predicted: Mask,
    ignored: Mask | None = None,
    *,
    dilation: float = DILATION,
    pixels: int | None = None,
) -> float:
    """IoU of the two inner rims (Cheng et al., *Boundary IoU*, CVPR 2021, eq. 3).

    Parameters
    ----------
    truth, predicted, ignored
        ``(H, W)``. Ignored pixels count as outside both masks, whatever they hold.
    dilation
        How wide a rim is, in diagonals of the image; at least one pixel. The authors'
        value for natural images; a cell is often all rim then.
    pixels
        How wide a rim is in pixels instead: 2 shows the outline of a small cell.

    Returns
    -------
    0..1; 1 if both masks are empty.

    Raises
    ------
    ValueError
        If ``pixels`` is less than 1.
    """
    if pixels is not None and pixels < 1:
        raise ValueError(f"a rim is at least 1 pixel wide, got {pixels}")
    width = pixels or max(1, round(dilation * math.hypot(*truth.shape)))
    if ignored is not None:
        truth, predicted = truth & ~ignored, predicted & ~ignored
    box = bounding_box(truth | predicted)
    if box is None:
        return 1.0
    return iou(
        inner_rim(truth[box.slices], width), inner_rim(predicted[box.slices], width)
    )


def inner_rim(mask: Mask, width: int) -> Mask:
    """The pixels of ``mask`` within ``width`` pixels of what lies outside it.

    Chessboard distance, as the authors' code; the image border is outside.
    """
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    padded = np.pad(mask, 1).astype(np.uint8)
    core = cv2.erode(padded, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (core[1:-1, 1:-1] == 0)
