"""Image files of data sets as arrays: photographs, label images, palettes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.image_files import read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".npy", ".pgm", ".ppm")


def read_photograph(path: Path) -> NDArray[Any]:
    """``(H, W)`` or ``(H, W, 3)`` red, green, blue, as the file has it.

    Raises
    ------
    ValueError
        If the file is missing or no image.
    """
    return np.ascontiguousarray(read_image(path))


def read_labels(path: Path) -> NDArray[np.int64]:
    """The numbers of a grey image, ``(H, W)``.

    Raises
    ------
    ValueError
        If the file is missing, no image, in colours that differ, or not whole numbers.
    """
    labels = np.asarray(read_image(path))
    if labels.ndim == 3:
        if (labels != labels[..., :1]).any():
            raise ValueError(
                f"{path} is a picture in colours, not a label image; save it with one "
                "number a pixel"
            )
        labels = labels[..., 0]
    if labels.dtype.kind not in ("b", "i", "u"):
        raise ValueError(
            f"{path} holds {labels.dtype}; labels are whole numbers: save it as uint16"
        )
    return labels.astype(np.int64)


def read_palette(path: Path) -> NDArray[np.int64]:
    """The palette's indices of a PNG, not its colours, ``(H, W)``.

    Raises
    ------
    ValueError
        If the file is missing or has no palette (an OpenCV program may have saved it).
    """
    from PIL import Image  # OpenCV gives the colours only

    if not path.is_file():
        raise ValueError(f"there is no image at {path}")
    with Image.open(path) as picture:
        if picture.mode not in ("P", "L"):
            raise ValueError(
                f"{path} has no palette (its mode is {picture.mode}); take the file as "
                "distributed"
            )
        return np.asarray(picture).astype(np.int64)


def pictures_in(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """The image files of a folder, sorted; none if there is no such folder."""
    found = folder.glob("*") if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix.lower() in suffixes)


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Name without suffix -> file.

    Raises
    ------
    ValueError
        If two files differ in their suffix only.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise ValueError(
                f"{found[path.stem].name} and {path.name} in {path.parent} have the "
                "same name; remove or rename one"
            )
        found[path.stem] = path
    return found
