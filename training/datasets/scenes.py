"""One image with all of its objects, read once for all of its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from training.datasets.data_set import BenchmarkObject

VOID = -1  # the label of pixels that count neither as object nor as background


class Scene(Protocol):
    @property
    def image(self) -> NDArray[Any]: ...
    def found(self, name: str, label: str) -> BenchmarkObject:
        """The object ``label``; KeyError if the image has none."""
        ...


@dataclass(frozen=True)
class LabelScene:
    """Objects that share no pixel: ``labels`` is ``(H, W)``, ``VOID`` is ignored."""

    image: NDArray[Any]
    labels: NDArray[np.int32]
    single: bool = False  # one object by the data set's rules: there are no others

    @cached_property
    def void(self) -> Mask:
        return self.labels == VOID

    def found(self, name: str, label: str) -> BenchmarkObject:
        truth = self.labels == whole_label(label)
        if not truth.any():
            raise KeyError(label)
        others = None if self.single else (self.labels > 0) & ~truth
        return BenchmarkObject(name, self.image, truth, self.void, others)


@dataclass(frozen=True)
class MaskScene:
    """Objects that may share pixels; each mask is made when it is asked for.

    A mask is ``(H, W)``: 1 (or true) on the object, ``VOID`` where it is not known.
    ``ignored`` counts for no object. ``starts`` are masks that were corrected.
    """

    image: NDArray[Any]
    masks: Mapping[str, Callable[[], NDArray[Any]]]
    ignored: Mask
    starts: Mapping[str, Callable[[], Mask]] = field(default_factory=dict)
    single: bool = False

    @cached_property
    def covered(self) -> Mask:
        """Pixels of any object."""
        union = np.zeros_like(self.ignored)
        for mask in self.masks.values():
            union |= mask() == 1
        return union

    def found(self, name: str, label: str) -> BenchmarkObject:
        mask = self.masks[label]()
        truth = mask == 1
        if not truth.any():
            raise ValueError(f"the mask of '{name}' is empty; check it in its file")
        ignored = (self.ignored | (mask == VOID)) & ~truth
        others = None if self.single else self.covered & ~truth
        start = self.starts[label]() if label in self.starts else None
        return BenchmarkObject(name, self.image, truth, ignored, others, start)


def whole_label(label: str) -> int:
    """The number that ``label`` writes; KeyError if it is none above 0."""
    if not label.isdecimal() or int(label) == 0:
        raise KeyError(label)
    return int(label)


class SceneReader(Protocol):
    """What a family of data sets knows of its files."""

    def images(self) -> Sequence[str]:
        """Names of the images, in the data set's order."""
        ...

    def labels(self, image: str) -> Sequence[str]:
        """The objects of an image; reads no more of its files than that takes."""
        ...

    def scene(self, image: str) -> Scene:
        """All of one image; KeyError if there is no such image."""
        ...


class SceneDataSet:
    """A data set that remembers its index and the scene read last."""

    def __init__(self, reader: SceneReader) -> None:
        self._reader = reader
        self._last: tuple[str, Scene] | None = None
        self._samples: tuple[str, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For another process: without the remembered image."""
        return {**self.__dict__, "_last": None}

    def samples(self) -> Sequence[str]:
        if self._samples is None:
            self._samples = tuple(
                f"{image}/{label}"
                for image in self._reader.images()
                for label in self._reader.labels(image)
            )
        return self._samples

    def images(self) -> list[str]:
        """Names of the images, each once and always in this order."""
        return list(self._reader.images())

    def scene(self, image: str) -> Scene:
        """All of one image; KeyError if there is no such image."""
        return self._scene(image)

    def read(self, sample: str) -> BenchmarkObject:
        image, _, label = sample.rpartition("/")
        try:
            return self._scene(image).found(sample, label)
        except KeyError:
            raise ValueError(
                f"there is no object '{sample}' in this data set; samples() lists them"
            ) from None

    def _scene(self, image: str) -> Scene:
        if self._last is None or self._last[0] != image:
            self._last = image, self._reader.scene(image)
        return self._last[1]
