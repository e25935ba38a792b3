"""Which object of which image comes next: data sets, images and sizes in balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from training.images import LabelledImage, image_paths, read_pair
from training.samples import Sample, SampleSettings, Source, drawn_source, make_sample

TRIES = 20  # images in a row that may be broken


class Made(Protocol):
    """What a data set of ours gives; ``skipped`` says of which images it could not."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def skipped(self) -> tuple[str, ...]: ...


AnyMade = TypeVar("AnyMade", bound=Made)


@dataclass(frozen=True)
class TrainingSet:
    """A data set with its share of the samples."""

    images: Sequence[LabelledImage]
    share: float
    broken: tuple[str, ...] = ()  # files that could not be read, and why


@dataclass(frozen=True, slots=True)
class Choice:
    """One image, with what is needed to draw an object from it."""

    image: LabelledImage
    limits: tuple[float, float]
    labels: NDArray[np.int64]
    chances: NDArray[np.float64]

    def source(self, rng: np.random.Generator) -> Source:
        """One of its objects."""
        image, label = self.image, int(rng.choice(self.labels, p=self.chances))
        box = image.objects[label]
        return Source(image.labels, label, box, image.image, self.limits, image.name)


def choice_of(image: LabelledImage) -> Choice | None:
    labels = np.array(list(image.objects), np.int64)
    if labels.size == 0:
        return None
    low, high = np.percentile(image.image[::2, ::2], (0.1, 99.9))
    return Choice(image, (float(low), float(high)), labels, balance(image, labels))


def balance(image: LabelledImage, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chances in proportion to the square root of the size: few specks, some giants."""
    boxes = [image.objects[int(k)] for k in labels]
    size = np.array([max(s.stop - s.start for s in box) for box in boxes], float)
    return np.sqrt(size) / np.sqrt(size).sum()


def rarity(image: LabelledImage) -> float:
    """Stained and bright images are rare among the nuclei: they count five times."""
    pixels = image.image
    bright = np.median(pixels) > 0.5 * np.percentile(pixels, 99.5)
    colour = pixels.ndim == 3 and float(np.ptp(pixels.astype(float), axis=2).mean()) > 4
    return 5.0 if bright or colour else 1.0


class Samples(Dataset[Sample]):
    """Sample ``i`` is a function of ``seed`` and ``i`` alone, whoever asks for it.

    An image of which no sample can be made is skipped: the sample says which, and is of
    the next image that chance brings.
    """

    def __init__(
        self, sets: Mapping[str, TrainingSet], settings: SampleSettings, *, seed: int
    ) -> None:
        self.settings, self.seed = settings, seed
        self.choices: list[Choice] = []
        chances: list[float] = []
        for data in sets.values():
            found = [c for c in map(choice_of, data.images) if c is not None]
            weight = np.array([rarity(c.image) for c in found])
            self.choices += found
            chances += list(data.share * weight / weight.sum())
        self.chances = np.array(chances) / sum(chances)

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, index: int) -> Sample:
        seeds = ((self.seed, index, attempt)[: 2 + attempt] for attempt in range(TRIES))
        return first_made(
            seeds,
            self.source,
            lambda source, rng: make_sample(source, self.settings, rng),
            "samples.*",
        )

    def source(self, rng: np.random.Generator) -> Source:
        if rng.random() < self.settings.drawn:
            return drawn_source(rng)
        return self.choices[rng.choice(len(self.choices), p=self.chances)].source(rng)


def first_made(
    seeds: Iterator[tuple[int, ...]],
    draw: Callable[[np.random.Generator], Source],
    make: Callable[[Source, np.random.Generator], AnyMade],
    settings: str,
) -> AnyMade:
    """What is made of the first source of which it can be; it names those before.

    Raises
    ------
    ValueError
        If it can be made of none; says to check ``settings``.
    """
    skipped: list[str] = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        source = draw(rng)
        try:
            made = make(source, rng)
        except (ValueError, ArithmeticError, LookupError, cv2.error) as problem:
            reason = f"{type(problem).__name__}: {problem}".strip().splitlines()[0]
            skipped.append(f"{source.name}: {reason}")
            continue
        return replace(made, skipped=tuple(skipped)) if skipped else made
    raise ValueError(
        f"{len(skipped)} images in a row give no sample, the last is {skipped[-1]}; "
        f"check the data sets and the settings {settings}"
    )


# share of the samples, and each how-many-th image is held out for validation (0: none)
CELL_SETS = {
    "dsb2018": (3.0, 0),
    "bbbc039": (0.8, 0),
    "usiigaci": (2.6, 6),
    "sem_axons": (1.2, 8),
    "bacteria_phase": (1.2, 7),
    "yeast_phase_colony": (1.0, 0),
    "yeast_brightfield_traps": (0.4, 0),
    "plant_sem_chloroplasts": (0.8, 5),
    "plant_clsm_ovule": (0.6, 5),
    "plant_clsm_maize": (0.5, 0),
}


def cell_sets(root: Path, without: Sequence[str] = ()) -> dict[str, TrainingSet]:
    """The training part of every cell data set but those in ``without``.

    Raises
    ------
    ValueError
        If ``without`` names a set that does not exist, or leaves none.
    """
    unknown = [name for name in without if name not in CELL_SETS]
    if unknown or len(set(without)) == len(CELL_SETS):
        raise ValueError(
            f"without={tuple(without)} must name some of {list(CELL_SETS)}, not all"
        )
    return {
        name: training_set(root / "cells" / name / "train", share, every, kept=False)
        for name, (share, every) in CELL_SETS.items()
        if name not in without
    }


def training_set(
    folder: Path, share: float, every: int = 0, *, kept: bool = True
) -> TrainingSet:
    """Images of a folder with their labels; those that are broken are left out.

    Each ``every``-th image is held out: those with ``kept``, the other ones without.
    0 holds out none. A broken image counts where it lies: it moves no other one.

    Raises
    ------
    FileNotFoundError
        If the folder has no images.
    ValueError
        If all of them are broken.
    """
    images: list[LabelledImage] = []
    broken: list[str] = []
    for number, path in enumerate(image_paths(folder)):
        if every and (number % every == every - 1) != kept:
            continue
        try:
            images.append(whole(path, folder / "labels"))
        except (FileNotFoundError, ValueError, cv2.error) as problem:
            broken.append(f"{path}: {problem}")
    if not images:
        raise ValueError(f"no image of {folder} can be used; {' '.join(broken[:1])}")
    return TrainingSet(images, share, tuple(broken))


def whole(path: Path, labels: Path) -> LabelledImage:
    """An image with its labels, named by its file; ValueError if they do not match."""
    found = read_pair(path, labels)
    if found.labels.shape != found.image.shape[:2]:
        raise ValueError(
            f"the image is {found.image.shape[:2]}, its labels {found.labels.shape}"
        )
    return replace(found, name=f"{labels.parent.parent.name}/{found.name}")


# sets of which nothing is trained on: another field of view, another split
UNSEEN_SETS = {"dsb2018/val": 3.0, "yeast_phase_lifecycle/train": 1.0}


def validation_sets(root: Path, without: Sequence[str] = ()) -> dict[str, TrainingSet]:
    """The held-out images of the cell data sets, in the shares of the training.

    A set that a run does without does not choose its best weights either.
    """
    sets = {
        name: training_set(root / "cells" / name, share)
        for name, share in UNSEEN_SETS.items()
        if name.split("/")[0] not in without
    }
    for name, (share, every) in CELL_SETS.items():
        if every and name not in without:
            sets[name] = training_set(root / "cells" / name / "train", share, every)
    return sets
