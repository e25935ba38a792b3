"""Two drawn photographs with boxes in them, and files of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID = (40, 56)
BOXES = {1: (slice(4, 12), slice(5, 15)), 2: (slice(20, 34), slice(24, 44))}
VOID_ROWS = slice(36, 38)


def box(label: int) -> NDArray[np.bool_]:
    """Object ``label`` of every drawn image."""
    mask = np.zeros(GRID, bool)
    mask[BOXES[label]] = True
    return mask


def void() -> NDArray[np.bool_]:
    """Two rows that count as neither."""
    mask = np.zeros(GRID, bool)
    mask[VOID_ROWS] = True
    return mask


def nothing() -> NDArray[np.bool_]:
    return np.zeros(GRID, bool)


def labels(*wanted: int, ignored: int = 0) -> NDArray[np.uint16]:
    """The wanted boxes with their numbers; ``ignored`` in the void rows."""
    drawn = np.zeros(GRID, np.uint16)
    for label in wanted:
        drawn[BOXES[label]] = label
    drawn[VOID_ROWS] = ignored
    return drawn


def photograph(seed: int = 0) -> NDArray[np.uint8]:
    """``(H, W, 3)``: red objects on a dim ground."""
    rng = np.random.default_rng(seed)
    image = rng.integers(20, 60, (*GRID, 3), np.uint8)
    for place in BOXES.values():
        image[place] = (200, 30, 10)
    return image


def grey(seed: int = 0) -> NDArray[np.uint16]:
    """``(H, W)`` of 16 bits, brighter than 8 bits hold."""
    return photograph(seed)[..., 0].astype(np.uint16) * 100


@dataclass(frozen=True)
class Miniature:
    """What the reader should find in the folder that a function drew.

    ``unnoticed`` are endings of files whose absence nobody can tell.
    """

    truths: dict[str, NDArray[np.bool_]]
    ignored: NDArray[np.bool_] = field(default_factory=nothing)
    image: NDArray[Any] = field(default_factory=photograph)  # of the first sample
    exact: bool = True  # JPEG is not
    unnoticed: tuple[str, ...] = ()


def write(path: Path, image: NDArray[Any]) -> None:
    """Any format that OpenCV writes; colours are red, green, blue here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = image[..., ::-1] if image.ndim == 3 else image
    cv2.imwrite(str(path), np.ascontiguousarray(shown))


def write_palette(path: Path, indices: NDArray[Any]) -> None:
    """A PNG with VOC's way of colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(indices.astype(np.uint8), mode="P")
    colours = np.zeros((256, 3), np.uint8)
    colours[1], colours[2], colours[255] = (128, 0, 0), (0, 128, 0), (224, 224, 192)
    picture.putpalette(colours.ravel().tolist())
    picture.save(path)


def write_text(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
