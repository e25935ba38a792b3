"""Samples for dense segmentation from photographs: mirrored, cropped, squeezed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from training.appearance import Rng
from training.datasets.scenes import VOID, LabelScene, MaskScene, Scene, SceneDataSet
from training.fields import Field
from training.photographs import Photographs, brightened, colours


@dataclass(frozen=True, slots=True)
class Photos:
    """Images of a data set; ``objects``: any object is class 1."""

    data: SceneDataSet
    names: Sequence[str]
    objects: bool = True

    def read(self, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The image and its classes ``(H, W)``, ``VOID`` where nothing is known."""
        scene = self.data.scene(name)
        classes = labels_of(scene)
        return scene.image, np.minimum(classes, 1) if self.objects else classes


def labels_of(scene: Scene) -> NDArray[np.int64]:
    """Labels of a scene; where objects may share pixels, 1 for all of them."""
    if isinstance(scene, MaskScene):
        drawn = scene.covered.astype(np.int64)
        return np.where(scene.ignored & ~scene.covered, VOID, drawn)
    assert isinstance(scene, LabelScene)
    return scene.labels.astype(np.int64)


class PhotoFields(Dataset[Field]):
    """Sample ``i`` is a function of ``seed`` and ``i``; every image once an epoch."""

    def __init__(
        self, photos: Photos, settings: Photographs, cropped: float, *, seed: int
    ) -> None:
        self.photos, self.settings = photos, settings
        self.cropped, self.seed = cropped, seed

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, index: int) -> Field:
        epoch, at = divmod(index, len(self.photos.names))
        order = np.random.default_rng((self.seed, 4, epoch))
        name = self.photos.names[order.permutation(len(self.photos.names))[at]]
        rng = np.random.default_rng((self.seed, 8, index))
        image, classes = self.photos.read(name)
        return self.field(colours(image), classes, rng)

    def field(
        self, image: NDArray[np.float32], classes: NDArray[np.int64], rng: Rng
    ) -> Field:
        settings = self.settings
        box = crop(classes.shape, self.cropped, rng)
        image, classes = image[box], classes[box]
        if settings.flipped and rng.random() < 0.5:
            image, classes = image[:, ::-1], classes[:, ::-1]
        image = brightened(image, settings.gamma, rng)
        if settings.grid != (0, 0):
            image, classes = squeezed(image, classes, settings.grid)
        known = classes != VOID
        drawn = np.where(known, classes, 0).astype(np.uint8)
        return Field(
            np.ascontiguousarray(image, np.float32), drawn, known.astype(np.float32)
        )


def crop(grid: Sequence[int], share: float, rng: Rng) -> tuple[slice, slice]:
    """A box that lacks at most ``share`` of the height and of the width."""
    slices = []
    for length in grid:
        side = length - round(length * rng.uniform(0, share))
        start = int(rng.integers(length - side + 1))
        slices.append(slice(start, start + side))
    return slices[0], slices[1]


def squeezed(
    image: NDArray[np.float32], classes: NDArray[np.int64], grid: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Both on another grid, whatever that does to proportions."""
    size = (grid[1], grid[0])
    smaller = image.shape[0] * image.shape[1] > grid[0] * grid[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    shown = cv2.resize(np.ascontiguousarray(image), size, interpolation=how)
    drawn = np.ascontiguousarray(classes, np.int32)
    nearest = cv2.resize(drawn, size, interpolation=cv2.INTER_NEAREST)
    return shown, nearest.astype(np.int64)
