"""SBD: instances in VOC's pictures (Hariharan et al., ICCV 2011)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps
from training.datasets.label_files import LabelFiles, Pair
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
benchmark_RELEASE/dataset/img/<name>.jpg
benchmark_RELEASE/dataset/inst/<name>.mat   GTinst.Segmentation: 0 or the instance
benchmark_RELEASE/dataset/{split}.txt       names
"""


def read_instances(path: Path) -> NDArray[Any]:
    """Instance numbers of a ``.mat`` file, ``(H, W)``; there is no void in SBD.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    from scipy.io import loadmat

    try:
        content = loadmat(path)["GTinst"]["Segmentation"][0, 0]
    except (
        IndexError,
        KeyError,
        NotImplementedError,
        TypeError,
        ValueError,
    ) as problem:
        raise ValueError(
            f"{path} holds no GTinst.Segmentation; take the file as distributed"
        ) from problem
    return np.asarray(content).astype(np.int64)


def pairs(folder: Path, split: str) -> list[Pair]:
    names = (folder / f"{split}.txt").read_text().split()
    return [
        Pair(name, folder / "img" / f"{name}.jpg", folder / "inst" / f"{name}.mat")
        for name in names
    ]


def opened(folder: Path, split: str) -> SceneDataSet:
    return SceneDataSet(LabelFiles(tuple(pairs(folder, split)), read_instances))


def gaps(folder: Path, split: str) -> list[str]:
    listed = file_gaps([folder / f"{split}.txt"])
    if listed:
        return listed
    return file_gaps(
        p for pair in pairs(folder, split) for p in (pair.image, pair.labels)
    )


def sbd_entry(split: str, published: str) -> DataSetEntry:
    return DataSetEntry(
        f"SBD: instances in pictures of PASCAL VOC, {split}",
        "http://home.bharathh.info/pubs/codes/SBD/download.html",
        "pictures as Flickr's users allow; the annotations state none",
        LAYOUT.format(split=split),
        ("benchmark_RELEASE/dataset", "SBD/dataset"),
        partial(opened, split=split),
        partial(gaps, split=split),
        published,
    )


ENTRIES = {
    "sbd": sbd_entry("val", "6671 objects in 2857 images (the papers say 2820)"),
    "sbd/train": sbd_entry("train", "20172 objects in 8498 images"),
}
