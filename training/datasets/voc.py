"""PASCAL VOC 2012: instances in Flickr's pictures, with void outlines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap, shortened
from training.datasets.label_files import LabelFiles, Pair, read_three_level
from training.datasets.mask_files import Masked, MaskFiles
from training.datasets.pictures import by_stem, pictures_in, read_palette
from training.datasets.scenes import VOID, SceneDataSet

LAYOUT = """\
VOCdevkit/VOC2012/JPEGImages/<name>.jpg
VOCdevkit/VOC2012/SegmentationObject/<name>.png   palette: 0, instance, 255 void
VOCdevkit/VOC2012/ImageSets/Segmentation/{split}.txt  names
"""
SUBSET_LAYOUT = """\
natural/voc_subset/images/<name>.jpg
natural/voc_subset/masks/<name>_<k>.png   0 background, 255 object k
"""
SOURCE = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
LICENCE = "pictures as Flickr's users allow, for research"
VOID_INDEX = 255


def read_indices(path: Path) -> NDArray[Any]:
    indices = read_palette(path)
    return np.where(indices == VOID_INDEX, VOID, indices)


def pairs(folder: Path, split: str, labels: str = "SegmentationObject") -> list[Pair]:
    """Pictures of a split and their label files: objects, or "SegmentationClass"."""
    names = (folder / f"ImageSets/Segmentation/{split}.txt").read_text().split()
    return [
        Pair(
            name,
            folder / "JPEGImages" / f"{name}.jpg",
            folder / labels / f"{name}.png",
        )
        for name in names
    ]


def opened(folder: Path, split: str) -> SceneDataSet:
    return SceneDataSet(LabelFiles(tuple(pairs(folder, split)), read_indices))


def gaps(folder: Path, split: str) -> list[str]:
    listed = file_gaps([folder / f"ImageSets/Segmentation/{split}.txt"])
    if listed:
        return listed
    return file_gaps(
        path for pair in pairs(folder, split) for path in (pair.image, pair.labels)
    )


# The subset with one binary mask a file


def open_subset(folder: Path) -> SceneDataSet:
    masks: dict[str, dict[str, Path]] = {}
    for path in pictures_in(folder / "masks"):
        name, _, label = path.stem.rpartition("_")
        masks.setdefault(name, {})[label] = path
    images = by_stem(pictures_in(folder / "images"))
    items = tuple(Masked(name, images[name], masks[name]) for name in masks)
    return SceneDataSet(MaskFiles(items, read_three_level))


def subset_gaps(folder: Path) -> list[str]:
    found = folder_gap(folder / "images") + folder_gap(folder / "masks")
    if found:
        return found
    images = by_stem(pictures_in(folder / "images"))
    masks = pictures_in(folder / "masks")
    named = {path.stem.rpartition("_")[0] for path in masks}
    orphans = [
        f"{path} has no image: {path.stem.rpartition('_')[0]}.jpg is missing."
        for path in masks
        if path.stem.rpartition("_")[0] not in images
    ]
    bare = [
        f"{path} has no mask: {name}_<k>.png is missing."
        for name, path in images.items()
        if name not in named
    ]
    return shortened(orphans) + shortened(bare)


def voc_entry(title: str, split: str, published: str) -> DataSetEntry:
    return DataSetEntry(
        f"PASCAL VOC 2012: instances, {title}",
        SOURCE,
        LICENCE,
        LAYOUT.format(split=split),
        ("VOCdevkit/VOC2012", "VOC2012"),
        partial(opened, split=split),
        partial(gaps, split=split),
        published,
    )


ENTRIES = {
    "voc2012": voc_entry(
        "validation",
        "val",
        "3427 objects in 1449 images (RITM reads colours as greys: 3417)",
    ),
    "voc2012/train": voc_entry("training", "train", "1464 images"),
    "voc-subset": DataSetEntry(
        "PASCAL VOC 2012: some instances as binary masks",
        SOURCE,
        LICENCE,
        SUBSET_LAYOUT,
        ("natural/voc_subset",),
        open_subset,
        subset_gaps,
        "931 objects in 775 images",
    ),
}
