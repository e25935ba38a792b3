"""Data sets that have one mask file for each object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from training.datasets.label_files import check_same_grid
from training.datasets.pictures import read_photograph
from training.datasets.scenes import MaskScene


@dataclass(frozen=True)
class Masked:
    """An image and the mask file of each of its objects, by label.

    ``starts`` are masks that somebody may correct into those.
    """

    name: str
    image: Path
    masks: Mapping[str, Path]
    starts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class MaskFiles:
    """``decode`` reads a mask file: 1 is the object, 0 not, ``VOID`` neither."""

    items: Sequence[Masked]
    decode: Callable[[Path], NDArray[Any]]

    @cached_property
    def _by_name(self) -> dict[str, Masked]:
        return {item.name: item for item in self.items}

    def images(self) -> list[str]:
        return [item.name for item in self.items]

    def labels(self, image: str) -> list[str]:
        return list(self._by_name[image].masks)

    def scene(self, image: str) -> MaskScene:
        item = self._by_name[image]
        photograph = read_photograph(item.image)
        masks = {
            label: partial(self._mask, item.image, photograph, path)
            for label, path in item.masks.items()
        }
        starts = {
            label: partial(self._start, item.image, photograph, path)
            for label, path in item.starts.items()
        }
        ignored = np.zeros(photograph.shape[:2], bool)
        return MaskScene(photograph, masks, ignored, starts, single=len(masks) == 1)

    def _start(self, image: Path, pixels: NDArray[Any], path: Path) -> Mask:
        return self._mask(image, pixels, path) == 1

    def _mask(self, image: Path, pixels: NDArray[Any], path: Path) -> NDArray[Any]:
        mask = self.decode(path)
        check_same_grid(image, pixels, path, mask)
        return mask
