"""Requests as CVAT 2.73 builds them, and its reading of the answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from cvat_sdk.masks import decode_mask
from PIL import Image

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
