"""Images with a class for each pixel: as distributed, and from our cell sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets import entry, voc
from training.datasets.gaps import file_gaps
from training.datasets.label_files import LabelFiles, Pair
from training.datasets.scenes import VOID, SceneDataSet
from training.images import IGNORED, LabelledImage
from training.sources import CELL_SETS, validation_sets

# Cell sets that show one kind of object each: classes 1, 2, ... of ``cell-kinds``.
KINDS = (
    "dsb2018",
    "usiigaci",
    "sem_axons",
    "bacteria_phase",
    "plant_sem_chloroplasts",
)
KIND_SIDE = 384  # pixels of an image that are measured
KIND_IMAGES = 4  # at most, of each kind
WINDOW_SIDE = 192  # the same for ``cell-windows``
WINDOW_IMAGES = 12
KIND_CLASSES = ("background", "nucleus", "adherent cell", "axon", "bacterium",
                "chloroplast")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClassFiles:
    """A data set of ``training.datasets`` whose folder holds classes, too."""

    data: str
    pairs: Callable[[Path], list[Pair]]
    decode: Callable[[Path], NDArray[Any]]

    def open(self, root: Path) -> SceneDataSet:
        """The images with classes for labels; ValueError if a file is missing."""
        one = entry(self.data)
        lacking = one.missing(root)
        found = [] if lacking else self.pairs(one.base(root))
        lacking = lacking or file_gaps(pair.labels for pair in found)
        if lacking:
            raise ValueError(" ".join(lacking[:3]))
        return SceneDataSet(LabelFiles(tuple(found), self.decode))


def voc_pairs(folder: Path, split: str) -> list[Pair]:
    return voc.pairs(folder, split, "SegmentationClass")


def sbd_pairs(folder: Path, split: str) -> list[Pair]:
    names = (folder / f"{split}.txt").read_text().split()
    return [
        Pair(name, folder / "img" / f"{name}.jpg", folder / "cls" / f"{name}.mat")
        for name in names
    ]


def sbd_classes(path: Path) -> NDArray[Any]:
    """Classes of a ``.mat`` file of SBD; ValueError if it is no such file."""
    from scipy.io import loadmat

    try:
        content = loadmat(path)["GTcls"]["Segmentation"][0, 0]
    except (IndexError, KeyError, NotImplementedError, TypeError, ValueError) as found:
        raise ValueError(
            f"{path} holds no GTcls.Segmentation; take the file as distributed"
        ) from found
    return np.asarray(content).astype(np.int64)


CLASS_FILES: Mapping[str, ClassFiles] = {
    "voc2012": ClassFiles("voc2012", partial(voc_pairs, split="val"), voc.read_indices),
    "voc2012/train": ClassFiles(
        "voc2012/train",
        partial(voc_pairs, split="train"),
        voc.read_indices,
    ),
    "sbd/train": ClassFiles(
        "sbd/train", partial(sbd_pairs, split="train"), sbd_classes
    ),
}


def kind_of(image: str) -> int:
    """The class of an image's objects by its name, "set/file".

    Raises
    ------
    ValueError
        If the set is none of ``KINDS``.
    """
    name = image.split("/", maxsplit=1)[0]
    if name not in KINDS:
        raise ValueError(f"objects of '{name}' are none of {list(KINDS)}")
    return KINDS.index(name) + 1


def by_kind(image: LabelledImage) -> NDArray[np.int64]:
    """Classes of an image of one of ``KINDS``, ``(H, W)``; ``VOID`` where ignored."""
    classes = np.where(image.labels > 0, kind_of(image.name), 0)
    return np.where(image.labels == IGNORED, VOID, classes).astype(np.int64)


def held_out_kinds(
    root: Path, side: int = KIND_SIDE, most: int = KIND_IMAGES
) -> dict[str, tuple[NDArray[Any], NDArray[np.int64]]]:
    """``cell-kinds``: the middle of images that nothing is trained on, with classes."""
    sets = validation_sets(root, [name for name in CELL_SETS if name not in KINDS])
    images = [
        one
        for data in sets.values()
        for one in data.images[:: -(-len(data.images) // most)]
        if is_kind(one.name)
    ]
    return {
        one.name: (middle(one.image, side), middle(by_kind(one), side))
        for one in images
    }


def held_out_windows(root: Path) -> dict[str, tuple[NDArray[Any], NDArray[np.int64]]]:
    """``cell-windows``: smaller parts of more of them; any cell is class 1."""
    found = held_out_kinds(root, WINDOW_SIDE, WINDOW_IMAGES)
    return {
        name: (image, np.minimum(classes, 1))
        for name, (image, classes) in found.items()
        if (classes > 0).any()
    }


def is_kind(image: str) -> bool:
    return image.split("/", maxsplit=1)[0] in KINDS


def middle(array: NDArray[Any], side: int) -> NDArray[Any]:
    """The middle of an image, at most ``side`` pixels high and wide."""
    rows, columns = (
        slice(max(0, (length - side) // 2), max(0, (length - side) // 2) + side)
        for length in array.shape[:2]
    )
    return array[rows, columns]
