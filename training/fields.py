"""Samples for dense segmentation: part of a field of cells, a class for each pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from training.appearance import Rng
from training.cell_targets import cell_classes, nearest_two, seam_weight
from training.class_files import kind_of
from training.images import IGNORED
from training.samples import (
    Canvas,
    SampleSettings,
    Source,
    drawn_source,
    log_uniform,
    paint,
    point_inside,
    turn_of,
)
from training.sources import TRIES, Choice, TrainingSet, choice_of, first_made

REACH = 3.0  # sigmas of the seams' weight that are looked at
CONTRAST = (0.1, 99.9)  # percentiles that become 0 and 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSettings:
    """Where fields come from, how they are cut, and what is to be learnt of them."""

    shares: tuple[tuple[str, float], ...] = ()  # of training.sources.CELL_SETS
    data: str = ""  # or a name of training.datasets, instead
    images: str = ""  # of those whose names begin so; "": of all but held out ones
    held_out: str = ""  # the same, of the images that are looked at now and then
    scale: tuple[float, float] = (1.0, 1.0)  # pixels of the network for one of the file
    beside: float = 0.2  # share of fields that lie anywhere, not around a cell
    contrast: float = 0.0  # share of fields scaled by their own grey values
    bent: float = 0.0  # pixels: deviation of 3 x 3 points that bend a field
    near: float = 2.0  # pixels: a border is that close to another cell; 0: no borders
    kinds: bool = False  # classes are kinds of cells (training.class_files) instead
    objects: bool = True  # of photographs: any object is class 1, not its own class
    cropped: float = 0.0  # of photographs: share of a side that may be cut off
    seam: float = 5.0  # weight between cells that are close, beside 1 (w0)
    seam_width: float = 5.0  # pixels (sigma)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """``image`` ``(H, W, 3)`` about 0..1; the others ``(H, W)``.

    ``counted`` is 0 where nothing is known, else how much a pixel counts.
    """

    image: NDArray[np.float32]
    classes: NDArray[np.uint8]
    counted: NDArray[np.float32]
    skipped: tuple[str, ...] = ()


class CellFields(Dataset[Field]):
    """Sample ``i`` is a function of ``seed`` and ``i`` alone, whoever asks for it."""

    def __init__(
        self,
        sets: Mapping[str, TrainingSet],
        settings: FieldSettings,
        samples: SampleSettings,
        *,
        seed: int,
        lost: int = 0,
    ) -> None:
        self.settings, self.samples = settings, samples
        self.seed, self.lost = seed, lost
        self.choices: list[Choice] = []
        chances: list[float] = []
        for data in sets.values():
            found = [c for c in map(choice_of, data.images) if c is not None]
            self.choices += found
            chances += [data.share / len(found)] * len(found)
        self.chances = np.array(chances) / sum(chances)

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, index: int) -> Field:
        seeds = ((self.seed, 7, index, attempt) for attempt in range(TRIES))
        return first_made(seeds, self.source, self.field, "fields.*")

    def source(self, rng: Rng) -> Source:
        if rng.random() < self.samples.drawn:
            return drawn_source(rng)
        return self.choices[rng.choice(len(self.choices), p=self.chances)].source(rng)

    def field(self, source: Source, rng: Rng) -> Field:
        """A square of ``samples.side`` pixels; ``lost`` of the classes are cut off."""
        settings, side = self.settings, self.samples.side
        turn, scale = turn_of(rng), log_uniform(settings.scale, rng)
        middle = centre_of(source, settings.beside, rng)
        top = middle @ turn.T - side / scale / 2
        canvas = paint(source, turn, top, scale, side, self.samples, rng)
        if settings.bent:
            canvas = bent(canvas, settings.bent, rng)
        inside = canvas.valid > 0
        image = filled(canvas.image, inside)
        if rng.random() < settings.contrast:
            image = stretched(image)
        cut = slice(self.lost // 2, side - self.lost // 2)
        classes, weight = targets(canvas.labels, settings)
        if settings.kinds:
            classes = np.where(classes > 0, kind_of(source.name), 0).astype(np.uint8)
        counted = weight * (inside & (canvas.labels != IGNORED))
        return Field(image, classes[cut, cut], counted[cut, cut].astype(np.float32))


def centre_of(source: Source, beside: float, rng: Rng) -> NDArray[np.float64]:
    """The middle of a field in pixels of its image: on a cell, or anywhere."""
    if rng.random() < beside:
        return rng.uniform(0, 1, 2) * source.labels.shape
    return source.origin + point_inside(source.mask, rng) + 0.5


def targets(
    labels: NDArray[np.int32], settings: FieldSettings
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The class of each pixel and how much it counts, ``(H, W)`` each."""
    reach = max(settings.near + 1, REACH * settings.seam_width)
    first, second = nearest_two(labels, reach)
    return (
        cell_classes(labels, second, settings.near),
        seam_weight(first, second, settings.seam, settings.seam_width),
    )


def filled(
    image: NDArray[np.float32], inside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The image with its mean colour where the field left it."""
    if inside.all() or not inside.any():
        return image
    return np.where(inside[..., None], image, image[inside].mean(0)).astype(np.float32)


def stretched(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """By its own percentiles, as a window is shown to a network at run time."""
    low, high = np.percentile(image, CONTRAST)
    return np.clip((image - low) / max(float(high - low), 1e-6), 0, 1.2)


def bent(canvas: Canvas, deviation: float, rng: Rng) -> Canvas:
    """Elastic deformation: nine points are moved, bicubic between them (U-Net 3.1)."""
    side = canvas.labels.shape[0]
    coarse = rng.normal(0, deviation, (2, 3, 3)).astype(np.float32)
    moves = [
        cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in coarse
    ]
    rows, columns = np.indices((side, side), np.float32)
    across, down = columns + moves[1], rows + moves[0]

    def moved(array: NDArray[np.float32], how: int) -> NDArray[np.float32]:
        return cv2.remap(array, across, down, how, borderMode=cv2.BORDER_REFLECT_101)

    valid = moved(canvas.valid.astype(np.float32), cv2.INTER_NEAREST)
    labels = moved(canvas.labels.astype(np.float32), cv2.INTER_NEAREST)
    return Canvas(
        moved(canvas.image, cv2.INTER_LINEAR),
        labels.astype(np.int32),
        valid.astype(np.uint8),
    )
