"""A training step as the papers have it: a crop, its clicks, one pass."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from training.crew import Crew
from training.engine import Trainer
from training.paper_recipe import PaperRecipe
from training.photographs import Crop, plan_of
from training.simulated_clicks.lagged import Lagged
from training.simulated_clicks.places import Rng
from training.trainable import WIDE, Points, Windows


class CropTrainer(Trainer):
    """See ``Trainer``; a sample is a ``Crop`` and is looked at once.

    With lagged clicks (ITIS) it remembers what each object was answered. Processes
    that share a batch remember each its own share: an object that another one had last
    gets fresh clicks.
    """

    losses = ("loss",)

    def __init__(
        self, recipe: PaperRecipe, device: torch.device, crew: Crew | None = None
    ) -> None:
        super().__init__(recipe, device, crew)
        self.lagged = Lagged(plan_of(recipe.photographs))
        self.is_lagged = recipe.photographs.lagged

    def learn_part(
        self, samples: Sequence[Crop], at: int, *, is_last: bool
    ) -> tuple[float, ...]:
        number = self.crew.rank * self.recipe.accumulate + at
        rng = np.random.default_rng((self.recipe.seed, 3, self.step, number))
        torch.manual_seed(int(rng.integers(2**62)))  # for dropout
        windows = side_by_side(samples, self.device)
        clicks = [self.clicked(sample, rng) for sample in samples]
        blank = torch.zeros_like(windows.truth)
        with nullcontext() if is_last else self.apart():
            answer, loss = self.passed(windows, clicks, blank, WIDE)
        if self.is_lagged:
            masks = (answer[:, 0] > 0.5).cpu().numpy()
            for sample, mask in zip(samples, masks, strict=True):
                height, width = sample.truth.shape
                self.lagged.remember(sample.name, mask[:height, :width])
        return (loss,)

    def clicked(self, sample: Crop, rng: Rng) -> Points:
        """The clicks that came with a crop, or one more than in the last epoch."""
        if not self.is_lagged:
            return list(sample.clicks)
        clicks = self.lagged.clicks(sample.name, sample.truth, list(sample.others), rng)
        return [(c.row, c.column, c.is_positive) for c in clicks]

    def state(self) -> dict[str, Any]:
        return {**super().state(), "lagged": self.lagged.state()}

    def recall(self, state: dict[str, Any]) -> None:
        super().recall(state)
        self.lagged.restore(state["lagged"])


def side_by_side(crops: Sequence[Crop], device: torch.device) -> Windows:
    """A batch; smaller images are filled up by pixels that do not count."""
    rows, columns = (max(c.truth.shape[axis] for c in crops) for axis in (0, 1))
    image = torch.zeros(len(crops), 3, rows, columns)
    masks = torch.zeros(3, len(crops), 1, rows, columns)  # truth, others, counted
    for at, crop in enumerate(crops):
        height, width = crop.truth.shape
        image[at, :, :height, :width] = torch.from_numpy(crop.image.transpose(2, 0, 1))
        around = (
            np.any(crop.others, axis=0) if crop.others else np.zeros_like(crop.truth)
        )
        for mask, drawn in zip(masks, (crop.truth, around, ~crop.ignored), strict=True):
            mask[at, 0, :height, :width] = torch.from_numpy(drawn)
    truth, others, counted = masks.to(device)
    shown = image.to(device).contiguous(memory_format=torch.channels_last)
    return Windows(
        shown, truth, others, counted, torch.zeros(len(crops), device=device)
    )
