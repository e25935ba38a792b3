"""LIVECell: adherent cells in phase contrast (Edlund et al., Nature Methods 2021)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from training.datasets.coco import OutlineFiles, outline_gaps
from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import folder_gap
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
LIVECell_dataset_2021/images/{images}/<image>.tif
LIVECell_dataset_2021/annotations/LIVECell/livecell_coco_{split}.json
the images may lie in a folder for each cell line, the annotations beside images/
"""
IMAGES = {
    "train": "livecell_train_val_images",
    "val": "livecell_train_val_images",
    "test": "livecell_test_images",
}


def annotations_in(folder: Path, split: str) -> Path:
    name = f"livecell_coco_{split}.json"
    beside = folder / name
    return beside if beside.is_file() else folder / "annotations" / "LIVECell" / name


def place(folder: Path, file_name: str) -> Path:
    """``A172_Phase_...tif`` may lie in a folder ``A172``, for its cell line."""
    of_line = folder / file_name.partition("_")[0] / file_name
    return of_line if of_line.is_file() else folder / file_name


def opened(folder: Path, split: str) -> SceneDataSet:
    where = partial(place, folder / "images" / IMAGES[split])
    return SceneDataSet(OutlineFiles(annotations_in(folder, split), where))


def gaps(folder: Path, split: str) -> list[str]:
    images = folder / "images" / IMAGES[split]
    return folder_gap(images) or outline_gaps(
        annotations_in(folder, split), partial(place, images)
    )


def livecell_entry(split: str, published: str) -> DataSetEntry:
    return DataSetEntry(
        f"LIVECell: cells of eight lines, phase contrast, {split}",
        "https://sartorius-research.github.io/LIVECell/",
        "CC BY-NC 4.0",
        LAYOUT.format(images=IMAGES[split], split=split),
        ("LIVECell_dataset_2021", "livecell"),
        partial(opened, split=split),
        partial(gaps, split=split),
        published,
    )


ENTRIES = {
    "livecell/train": livecell_entry("train", ""),
    "livecell/val": livecell_entry("val", ""),
    "livecell/test": livecell_entry("test", "1512 images"),
}
