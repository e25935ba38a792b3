"""A plain folder: images, and label images of the same names."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import folder_gap, unmatched
from training.datasets.label_files import LabelFiles, Pair
from training.datasets.pictures import by_stem, pictures_in, read_labels
from training.datasets.scenes import VOID, SceneDataSet
from training.images import IGNORED, SMALLEST

LAYOUT = """\
images/<name>.<png, tif, jpg, npy, ...>   any format that tifffile or OpenCV reads
labels/<name>.<png, tif, npy, ...>        0 background, k object k, 65535 ignored
"""


def read_label_image(path: Path) -> NDArray[Any]:
    """Object numbers; 65535 (``IGNORED``) is void."""
    labels = read_labels(path)
    return np.where(labels == IGNORED, VOID, labels)


def pairs_in(folder: Path) -> list[Pair]:
    """Each image with its label image, in the order of the image files."""
    labels = by_stem(pictures_in(folder / "labels"))
    images = by_stem(pictures_in(folder / "images"))
    return [Pair(name, path, labels[name]) for name, path in images.items()]


def opened(folder: Path, every: int = 0) -> SceneDataSet:
    """The folder as a data set; only each ``every``-th image if that is not 0.

    Objects of fewer than ``SMALLEST`` pixels are left out, as in training: specks, and
    slivers that the border cut off.
    """
    pairs = pairs_in(folder)
    kept = pairs[every - 1 :: every] if every else pairs
    return SceneDataSet(LabelFiles(tuple(kept), read_label_image, SMALLEST))


def gaps(folder: Path) -> list[str]:
    found = folder_gap(folder / "images") + folder_gap(folder / "labels")
    if found:
        return found
    return unmatched(pictures_in(folder / "images"), pictures_in(folder / "labels"))


def folder_entry(
    title: str, source: str, licence: str, folder: str, *, every: int = 0
) -> DataSetEntry:
    """A data set that comes as a plain folder; ``every``: as in ``opened``."""
    return DataSetEntry(
        title,
        source,
        licence,
        LAYOUT,
        (folder,),
        partial(opened, every=every),
        gaps,
    )


ENTRY = DataSetEntry(
    "Images and label images of your own",
    "your own disk",
    "your own",
    LAYOUT,
    (),
    opened,
    gaps,
)
