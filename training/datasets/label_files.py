"""Data sets of pairs: an image and one file that labels its pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.pictures import read_labels, read_photograph
from training.datasets.scenes import VOID, LabelScene


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of one image."""

    name: str
    image: Path
    labels: Path


@dataclass(frozen=True)
class LabelFiles:
    """``decode`` reads a label file: object numbers, 0 is background, ``VOID``.

    Objects of fewer than ``smallest`` pixels are no samples. ``single``: by the data
    set's rules each file shows object 1 alone, so it need not be read to list it.
    """

    pairs: Sequence[Pair]
    decode: Callable[[Path], NDArray[Any]]
    smallest: int = 1
    single: bool = False

    @cached_property
    def _by_name(self) -> dict[str, Pair]:
        return {pair.name: pair for pair in self.pairs}

    def images(self) -> list[str]:
        return [pair.name for pair in self.pairs]

    def labels(self, image: str) -> list[str]:
        if self.single:
            return ["1"]
        labels = self.decode(self._by_name[image].labels)
        known, areas = np.unique(labels, return_counts=True)
        return [
            str(label)
            for label, area in zip(known.tolist(), areas.tolist(), strict=True)
            if label > 0 and area >= self.smallest
        ]

    def scene(self, image: str) -> LabelScene:
        pair = self._by_name[image]
        photograph = read_photograph(pair.image)
        labels = self.decode(pair.labels).astype(np.int32)
        check_same_grid(pair.image, photograph, pair.labels, labels)
        return LabelScene(photograph, labels, self.single)


def check_same_grid(
    image: Path, pixels: NDArray[Any], truth: Path, labels: NDArray[Any]
) -> None:
    """Refuse a truth that is of another size than its image, with ValueError."""
    if pixels.shape[:2] != labels.shape:
        raise ValueError(
            f"{image} has {pixels.shape[0]} x {pixels.shape[1]} pixels and {truth} "
            f"{labels.shape[0]} x {labels.shape[1]}; take both from the same release"
        )


def recoded(labels: NDArray[Any], table: dict[int, int], path: Path) -> NDArray[Any]:
    """Each number by ``table``; ValueError if ``path`` holds one that is not there."""
    known = np.unique(labels)
    strange = [int(v) for v in known if int(v) not in table]
    if strange:
        raise ValueError(
            f"{path} holds the values {strange[:5]}; expected only {sorted(table)}"
        )
    codes = np.array([table[int(v)] for v in known])
    return codes[np.searchsorted(known, labels)]


def merged(labels: NDArray[Any]) -> NDArray[Any]:
    """All objects as object 1; ``VOID`` stays."""
    return np.where(labels > 0, 1, labels)


def read_binary(path: Path) -> NDArray[Any]:
    """Object 1 where a grey mask is brighter than the middle of its 8 bits."""
    return (read_labels(path) > 127).astype(np.int64)


def read_three_level(path: Path) -> NDArray[Any]:
    """255 (or 1) is the object, 0 the background, 128 the band that is neither."""
    return recoded(read_labels(path), {0: 0, 1: 1, 128: VOID, 255: 1}, path)
