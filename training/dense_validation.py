"""Held-out fields while a network for dense segmentation is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_iseg.nets.unet import SameSize, UNet
from training.dense import foreground, shown
from training.engine import Trainer, save
from training.images import IGNORED, LabelledImage
from training.logs import append
from training.metrics import iou
from training.run_folder import RunFolder
from training.sources import TrainingSet, choice_of

COLUMNS = ("step", "learning rate", "images", "iou")
IMAGES = 6  # at most, spread over all


@dataclass(frozen=True, slots=True)
class DenseLooks:
    """Images that nothing is trained on, and what the network makes of them."""

    images: tuple[LabelledImage, ...]
    channels: int

    @classmethod
    def of(cls, sets: Mapping[str, TrainingSet], channels: int) -> DenseLooks:
        """Some images of each set, always the same ones."""
        found = [one for data in sets.values() for one in data.images if one.objects]
        step = -(-len(found) // IMAGES)
        return cls(tuple(found[::step]), channels)

    def taken(self, trainer: Trainer, folder: RunFolder) -> dict[str, dict[str, float]]:
        """The mean IoU of the foreground; ``best.pt`` is written where it was best."""
        mean = float(np.mean([self.reached(trainer, one) for one in self.images]))
        rate = f"{trainer.learning_rate():.2e}"
        row = [trainer.step, rate, len(self.images), f"{mean:.4f}"]
        append(folder.path / "validation.csv", COLUMNS, row)
        trainer.marks = trainer.marks.after_iou(mean)
        if trainer.marks.is_newest_best:
            save(trainer, folder.best)
        return {"fields": {"iou": mean}}

    def reached(self, trainer: Trainer, one: LabelledImage) -> float:
        chance = foreground_of(trainer.averaged, one, self.channels, trainer.device)
        known = one.labels != IGNORED
        return iou(one.labels > 0, chance > 0.5, ~known)


@torch.inference_mode()
def foreground_of(
    net: nn.Module, one: LabelledImage, channels: int, device: torch.device
) -> NDArray[np.float32]:
    """Probability that a pixel is not background, ``(H, W)``."""
    choice = choice_of(one)
    low, high = choice.limits if choice else (0.0, 1.0)
    grey = (one.image.astype(np.float32) - low) / max(high - low, 1e-6)
    colours = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, 2)
    image = torch.from_numpy(np.clip(colours, 0, 1.2)).permute(2, 0, 1)[None]
    whole = SameSize(net) if isinstance(net, UNet) else net
    logits = whole.eval()(shown(image.to(device), channels))
    return foreground(logits.float()).sigmoid()[0, 0].numpy(force=True)
