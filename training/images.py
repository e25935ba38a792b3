"""Labelled images: the folders that ``python -m training`` reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

IGNORED = 65535  # label of pixels that count neither as object nor as background
SMALLEST = 30  # pixels: smaller objects are specks or cut off at the border


@dataclass(frozen=True)
class LabelledImage:
    """``image`` ``(H, W[, 3])`` uint8 or uint16; ``labels`` ``(H, W)`` uint16."""

    name: str
    image: NDArray[Any]
    labels: NDArray[np.uint16]

    @cached_property
    def objects(self) -> dict[int, tuple[slice, slice]]:
        """Label -> bounding box, of every object that is large enough to count."""
        known = np.where(self.labels == IGNORED, 0, self.labels).astype(np.int32)
        boxes = ndimage.find_objects(known)
        areas = np.bincount(known.ravel())
        return {
            label: box
            for label, box in enumerate(boxes, start=1)
            if box is not None and areas[label] >= SMALLEST
        }


def data_root() -> Path:
    """Where the data sets lie: ``ISEG_DATA``, by default ``../shared/data``."""
    return Path(os.environ.get("ISEG_DATA", "../shared/data"))


def read_folder(folder: Path) -> list[LabelledImage]:
    """Every image of ``folder/images`` with the label image of the same name.

    Raises
    ------
    FileNotFoundError
        If the folder or a label image is missing.
    """
    return [read_pair(path, folder / "labels") for path in image_paths(folder)]


def image_paths(folder: Path) -> list[Path]:
    """The files in ``folder/images``, sorted; FileNotFoundError if there is none."""
    paths = sorted((folder / "images").glob("*"))
    if not paths:
        raise FileNotFoundError(
            f"no images in {folder / 'images'}; set ISEG_DATA to the folder that holds "
            "the data sets"
        )
    return paths


def read_pair(path: Path, labels: Path) -> LabelledImage:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    truth = cv2.imread(str(labels / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
    if image is None or truth is None:
        bad = path if image is None else labels / f"{path.stem}.png"
        raise FileNotFoundError(f"{bad} is missing or is not an image")
    if image.ndim == 3:
        image = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB)
    return LabelledImage(path.stem, image, truth.astype(np.uint16))
