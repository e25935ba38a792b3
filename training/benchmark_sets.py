"""The data sets that methods are measured on: name to objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from training.datasets import BenchmarkObject
from training.images import IGNORED, LabelledImage, held_out, read_folder
from training.sources import CELL_SETS


def objects_of(image: LabelledImage) -> Iterator[BenchmarkObject]:
    ignored = image.labels == IGNORED
    for label in image.objects:
        truth = image.labels == label
        yield BenchmarkObject(f"{image.name}/{label}", image.image, truth, ignored)


def folder(name: str) -> Callable[[Path], list[LabelledImage]]:
    return lambda root: read_folder(root / name)


def kept_back(name: str) -> Callable[[Path], list[LabelledImage]]:
    """The images of a training set that ``cells`` is not trained on."""
    every = CELL_SETS[name][1]
    return lambda root: held_out(read_folder(root / "cells" / name / "train"), every)[1]


BENCHMARKS: Mapping[str, Callable[[Path], list[LabelledImage]]] = {
    "dsb2018/val": folder("cells/dsb2018/val"),
    "usiigaci/val": kept_back("usiigaci"),
    "sem_axons/val": kept_back("sem_axons"),
    "bacteria_phase/val": kept_back("bacteria_phase"),
    "chloroplasts/val": kept_back("plant_sem_chloroplasts"),
    "ovule/val": kept_back("plant_clsm_ovule"),
    "yeast_phase_lifecycle": folder("cells/yeast_phase_lifecycle/train"),
    "bitdepth_nucseg": folder("bench/bitdepth_nucseg"),
    "grabcut": folder("bench/grabcut"),
}


def sampled_objects(
    name: str, root: Path, most: int, seed: int = 0
) -> list[BenchmarkObject]:
    """At most ``most`` objects, spread evenly over the images; the same for a seed.

    Raises
    ------
    ValueError
        If there is no such data set.
    """
    if name not in BENCHMARKS:
        raise ValueError(
            f"no data set is called '{name}'; there are {list(BENCHMARKS)}"
        )
    images = BENCHMARKS[name](root)
    rng = np.random.default_rng(seed)
    order = [(k, i, rng.random()) for i, im in enumerate(images) for k in im.objects]
    ranked = sorted(order, key=lambda item: item[2])
    turn: dict[
        tuple[int, int], int
    ] = {}  # how many objects of the image come before this one
    for label, i, _ in ranked:
        turn[label, i] = sum(1 for _, j in turn if j == i) if most else 0
    chosen = sorted(ranked, key=lambda item: turn[item[:2]])[:most] if most else ranked
    wanted = {(label, i) for label, i, _ in chosen}
    return [
        found
        for i, image in enumerate(images)
        for found in objects_of(image)
        if (int(found.name.rsplit("/", 1)[1]), i) in wanted
    ]
