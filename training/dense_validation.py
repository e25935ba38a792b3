"""Held-out images while a network for dense segmentation is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_iseg.nets.unet import SameSize, UNet
from training.class_files import by_kind, middle
from training.datasets.scenes import VOID
from training.dense import Dense, DenseRecipe
from training.engine import Trainer, save
from training.field_sets import held_out_fields, photos_of
from training.images import IGNORED, LabelledImage
from training.logs import append
from training.metrics.confusion import class_ious, confusion
from training.photo_fields import squeezed
from training.photographs import colours
from training.run_folder import RunFolder
from training.sources import choice_of

COLUMNS = ("step", "learning rate", "images", "iou")
IMAGES = 12  # at most, of all sets alike


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """``image`` ``(H, W, 3)`` about 0..1, ``classes`` ``(H, W)`` with ``VOID``."""

    image: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DenseLooks:
    """Images that nothing is trained on, and what the network makes of them."""

    looks: tuple[Look, ...]

    @classmethod
    def of(cls, recipe: DenseRecipe) -> DenseLooks:
        """Some held-out images of each set, always the same ones."""
        if recipe.photographs.data:
            return cls(tuple(photographs(recipe)))
        sets = held_out_fields(recipe)
        each = max(1, IMAGES // len(sets))
        return cls(
            tuple(
                look_at(one, recipe.looked_at, kinds=recipe.fields.kinds)
                for data in sets.values()
                for one in some([one for one in data.images if one.objects], each)
            )
        )

    def taken(self, trainer: Trainer, folder: RunFolder) -> dict[str, dict[str, float]]:
        """The mean IoU of all classes but the background.

        ``best.pt`` is written where it was best.
        """
        mean = float(np.nanmean(self.ious(trainer)[1:]))
        rate = f"{trainer.learning_rate():.2e}"
        row = [trainer.step, rate, len(self.looks), f"{mean:.4f}"]
        append(folder.path / "validation.csv", COLUMNS, row)
        trainer.marks = trainer.marks.after_iou(mean)
        if trainer.marks.is_newest_best:
            save(trainer, folder.best)
        return {"fields": {"iou": mean}}

    def ious(self, trainer: Trainer) -> NDArray[np.float64]:
        """Of each class, over all images."""
        dense = trainer.trainable
        assert isinstance(dense, Dense)
        count = max(2, 1 + max(int(look.classes.max()) for look in self.looks))
        found = np.zeros((count, count), np.int64)
        for look in self.looks:
            said = classes_of(dense, trainer.averaged, look.image, trainer.device)
            found += confusion(look.classes, np.minimum(said, count - 1), count)
        return class_ious(found)


def some(found: Sequence[Any], most: int = IMAGES) -> Sequence[Any]:
    """At most so many, evenly."""
    return found[:: -(-len(found) // most)] if found else found


def photographs(recipe: DenseRecipe) -> list[Look]:
    photos, grid = photos_of(recipe, kept=True), recipe.photographs.grid
    looks = []
    for name in some(photos.names):
        image, classes = photos.read(name)
        shown = colours(image)
        if grid != (0, 0):
            shown, classes = squeezed(shown, classes, grid)
        looks.append(
            Look(middle(shown, recipe.looked_at), middle(classes, recipe.looked_at))
        )
    return looks


def look_at(one: LabelledImage, side: int, *, kinds: bool) -> Look:
    """The middle of an image of cells: what is cell, or of which kind."""
    drawn = np.where(one.labels > 0, 1, 0)
    drawn = np.where(one.labels == IGNORED, VOID, drawn)
    classes = by_kind(one) if kinds else drawn
    choice = choice_of(one)
    low, high = choice.limits if choice else (0.0, 1.0)
    grey = (one.image.astype(np.float32) - low) / max(high - low, 1e-6)
    shown = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, 2)
    return Look(middle(np.clip(shown, 0, 1.2), side), middle(classes, side))


@torch.inference_mode()
def classes_of(
    dense: Dense, net: nn.Module, image: NDArray[np.float32], device: torch.device
) -> NDArray[np.int64]:
    """What the network says of each pixel, ``(H, W)``."""
    pixels = torch.from_numpy(np.ascontiguousarray(image, np.float32))
    whole = SameSize(net) if isinstance(net, UNet) else net
    shown = pixels.permute(2, 0, 1)[None].to(device)
    return dense.classes(whole.eval()(dense.shown(shown)))[0].numpy(force=True)
