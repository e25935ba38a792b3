"""KITTI: cars on streets, as ITIS segments them and as the benchmark labels them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap, unmatched
from training.datasets.label_files import LabelFiles, Pair, read_three_level
from training.datasets.mask_files import Masked, MaskFiles
from training.datasets.pictures import by_stem, pictures_in, read_labels
from training.datasets.scenes import VOID, SceneDataSet

MASKS = "segmentations_jay_per_instance_new"  # the name that ITIS's code reads
CARS_LAYOUT = f"""\
KITTI/object/image_2/<frame>.png              left colour images of the object set
KITTI/object/{MASKS}/<frame>:<k>.png
                                              0 background, 255 car k; "_" for ":" too
"""
INSTANCES_LAYOUT = """\
data_semantics/training/image_2/<name>.png
data_semantics/training/instance/<name>.png   16 bits: 256 x category + instance
"""
CAR = 26  # of the categories of Cityscapes
LICENCE = "CC BY-NC-SA 3.0"


def cars(folder: Path) -> dict[str, dict[str, Path]]:
    """Frame -> number of the car -> its mask."""
    found: dict[str, dict[str, Path]] = {}
    for path in pictures_in(folder / MASKS, (".png",)):
        frame, _, label = re.sub("[_#]", ":", path.stem).partition(":")
        found.setdefault(frame, {})[label or "1"] = path
    return found


def open_cars(folder: Path) -> SceneDataSet:
    items = tuple(
        Masked(frame, folder / "image_2" / f"{frame}.png", masks)
        for frame, masks in cars(folder).items()
    )
    return SceneDataSet(MaskFiles(items, read_three_level))


def car_gaps(folder: Path) -> list[str]:
    found = folder_gap(folder / "image_2") + folder_gap(folder / MASKS)
    return found or file_gaps(folder / "image_2" / f"{f}.png" for f in cars(folder))


def read_car_instances(path: Path) -> NDArray[Any]:
    """Instance numbers of cars; cars that nobody told apart are void."""
    labels = read_labels(path)
    category, instance = labels // 256, labels % 256
    return np.where(category == CAR, np.where(instance == 0, VOID, instance), 0)


def open_instances(folder: Path) -> SceneDataSet:
    images = by_stem(pictures_in(folder / "image_2"))
    truths = by_stem(pictures_in(folder / "instance"))
    pairs = tuple(Pair(name, path, truths[name]) for name, path in images.items())
    return SceneDataSet(LabelFiles(pairs, read_car_instances))


def instance_gaps(folder: Path) -> list[str]:
    images, truths = folder / "image_2", folder / "instance"
    found = folder_gap(images) + folder_gap(truths)
    return found or unmatched(pictures_in(images), pictures_in(truths))


ENTRIES = {
    "kitti-cars": DataSetEntry(
        "KITTI: cars outlined for Chen et al. (CVPR 2014), as ITIS uses them",
        "https://www.cvlibs.net/datasets/kitti/eval_object.php (images); the masks "
        "from the authors of 'Beat the MTurkers'",
        f"images {LICENCE}; masks: none stated",
        CARS_LAYOUT,
        ("KITTI/object", "object"),
        open_cars,
        car_gaps,
        "741 objects",
    ),
    "kitti-instances": DataSetEntry(
        "KITTI: cars of the instance segmentation benchmark of 2015",
        "https://www.cvlibs.net/datasets/kitti/"
        "eval_instance_seg.php?benchmark=instanceSeg2015",
        LICENCE,
        INSTANCES_LAYOUT,
        ("data_semantics/training", "KITTI/training", "training"),
        open_instances,
        instance_gaps,
        "200 images",
    ),
}
