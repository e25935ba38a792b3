"""Salient objects: the image and mask folders on which BRS converts DHSNet."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import folder_gap, unmatched
from training.datasets.label_files import LabelFiles, Pair, read_binary
from training.datasets.pictures import by_stem, pictures_in
from training.datasets.scenes import SceneDataSet

PHOTOGRAPHS, MASKS = (".jpg", ".jpeg"), (".png", ".bmp")
NONE_STATED = "none stated; for research"


def at(folder: Path, name: str) -> Path:
    """A folder that some archives hold inside one of the same name."""
    nested = folder / name / Path(name).name
    return nested if nested.is_dir() else folder / name


def opened(folder: Path, images: str, masks: str) -> SceneDataSet:
    photographs = by_stem(pictures_in(at(folder, images), PHOTOGRAPHS))
    truths = by_stem(pictures_in(at(folder, masks), MASKS))
    pairs = tuple(Pair(name, path, truths[name]) for name, path in photographs.items())
    return SceneDataSet(LabelFiles(pairs, read_binary, single=True))


def gaps(folder: Path, images: str, masks: str) -> list[str]:
    places = {at(folder, images), at(folder, masks)}
    found = [sentence for place in sorted(places) for sentence in folder_gap(place)]
    return found or unmatched(
        pictures_in(at(folder, images), PHOTOGRAPHS),
        pictures_in(at(folder, masks), MASKS),
    )


def saliency_entry(
    title: str, source: str, folder: str, images: str, masks: str, published: str
) -> DataSetEntry:
    layout = (
        f"{folder}/{images}/<name>.jpg\n"
        f"{folder}/{masks}/<name>.png   brighter than 127: the object\n"
    )
    return DataSetEntry(
        title,
        source,
        NONE_STATED,
        layout,
        (folder,),
        partial(opened, images=images, masks=masks),
        partial(gaps, images=images, masks=masks),
        published,
    )


ENTRIES = {
    "ecssd": saliency_entry(
        "ECSSD: salient objects in complex scenes",
        "https://www.cse.cuhk.edu.hk/leojia/projects/hsaliency/dataset.html",
        "ECSSD",
        "images",
        "ground_truth_mask",
        "1000 objects in 1000 images",
    ),
    "dut-omron": saliency_entry(
        "DUT-OMRON: salient objects",
        "http://saliencydetection.net/dut-omron/",
        "DUT-OMRON",
        "DUT-OMRON-image",
        "pixelwiseGT-new-PNG",
        "5168 objects in 5168 images",
    ),
    "msra10k": saliency_entry(
        "MSRA10K: salient objects",
        "https://mmcheng.net/msra10k/",
        "MSRA10K_Imgs_GT",
        "Imgs",
        "Imgs",
        "10000 objects in 10000 images",
    ),
}
