"""Requests as CVAT 2.73 builds them, and its reading of the answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from cvat_sdk.masks import decode_mask
from PIL import Image
from scipy import ndimage
from skimage import data, filters

Points = Sequence[tuple[float, float]]


def file_of(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    """An image file with these pixels."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def request_for(
    content: bytes,
    positive: Points = (),
    negative: Points = (),
    box: Points | None = (),
    roi: tuple[int, int, int, int] | None = None,
) -> dict[str, Any]:
    """What CVAT's server posts: the file or, with a region, its crop in its format."""
    left, top = (0, 0) if roi is None else roi[:2]
    if roi is not None:
        with Image.open(io.BytesIO(content)) as image:
            content = file_of(image.crop(roi), str(image.format))

    def moved(points: Points | None) -> list[list[float]] | None:
        return None if points is None else [[x - left, y - top] for x, y in points]

    return {
        "image": base64.b64encode(content).decode(),
        "pos_points": moved(positive),
        "neg_points": moved(negative),
        "obj_bbox": moved(box),
    }


def masks_in(
    answer: dict[str, Any],
    grid: tuple[int, int],
    roi: tuple[int, int, int, int] | None = None,
) -> list[np.ndarray]:
    """The masks of the whole image that CVAT would show."""
    left, top = (0, 0) if roi is None else roi[:2]
    found = []
    for shape in answer["shapes"]:
        points = shape["points"]
        check_shape(shape)
        box = [points[-4] + left, points[-3] + top, points[-2] + left, points[-1] + top]
        assert 0 <= box[0] <= box[2] < grid[1]
        assert 0 <= box[1] <= box[3] < grid[0]
        found.append(
            decode_mask([*points[:-4], *box], image_width=grid[1], image_height=grid[0])
        )
    return found


# ---------------------------------------------------------------------- a real cell

CELL = (428.5, 374.5)  # x, y in its middle
CELL_ROI = (340, 280, 520, 470)


def real_cell(dtype: type = np.uint8) -> np.ndarray:
    """A living cell in quantitative phase, ``(660, 550)``; scikit-image bundles it.

    With 16 bits it fills 12 of them, as a camera does: clipped if taken for 8.
    """
    pixels = data.cell()
    return pixels if dtype is np.uint8 else pixels.astype(dtype) * 16


def mask_of_real_cell() -> np.ndarray:
    """What is brighter than Otsu's threshold: the cell alone, as one can see."""
    smooth = filters.gaussian(data.cell().astype(float), 2)
    bright, count = ndimage.label(smooth > filters.threshold_otsu(smooth))
    assert count == 1
    return bright == 1


# -------------------------------------------------------------------------- answers


def check_shape(shape: dict[str, Any]) -> None:
    """What CVAT's browser asks of each shape."""
    points = shape["points"]
    assert shape["type"] == "mask"
    assert all(type(value) is int for value in points)
    left, top, right, bottom = points[-4:]
    assert sum(points[:-4]) == (right - left + 1) * (bottom - top + 1)
    for attribute in shape["attributes"]:
        assert attribute["spec_id"] == 0
        assert isinstance(attribute["value"], str)
        assert 0 <= float(attribute["value"]) <= 1


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())
