"""The held-out images through the same windows: whether a run still improves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.engine import Trainer, carried, chosen, zoomed
from training.logs import append
from training.losses import iou_of
from training.recipe import Recipe
from training.samples import Sample
from training.sources import Samples, TrainingSet
from training.trainable import Points, Windows, stacked

Seen: TypeAlias = tuple[Tensor, Tensor]  # logits (B, M, N, N), scores (B, M)
SIDE, CANVAS = 112, 288  # of the windows, whatever a phase of the training uses
COLUMNS = ("step", "learning rate", "first", "best", "zoomed", "corrected")


class Validation:
    """A fixed set of held-out samples, and what the averaged network makes of them.

    ``first``: mean IoU of the best-scored hypothesis after the first click; ``best``:
    of the best hypothesis; ``zoomed``: after the look in the zoom window with the same
    click; ``corrected``: after one more click of a robot there.
    """

    def __init__(self, recipe: Recipe, sets: Mapping[str, TrainingSet]) -> None:
        self.windows = replace(recipe.samples, side=SIDE, canvas=CANVAS)
        samples = Samples(sets, self.windows, seed=recipe.seed)
        numbers = range(recipe.validated)
        self.batches = [
            [samples[i] for i in numbers[at : at + recipe.batch]]
            for at in numbers[:: recipe.batch]
        ]

    def measure(self, trainer: Trainer) -> dict[str, float]:
        """The four mean IoUs, 0..1, by name."""
        rows = [measured(trainer, batch) for batch in self.batches]
        return {
            name: float(np.concatenate([row[name] for row in rows]).mean())
            for name in rows[0]
        }

    def log(self, trainer: Trainer, path: Path) -> dict[str, float]:
        """Append what is measured now to a CSV file."""
        found = self.measure(trainer)
        rate = f"{trainer.learning_rate():.2e}"
        row = [trainer.step, rate, *(f"{value:.4f}" for value in found.values())]
        append(path, COLUMNS, row)
        return found


def measured(
    trainer: Trainer, samples: Sequence[Sample]
) -> dict[str, NDArray[np.float32]]:
    """Each sample's IoUs, by name; the same for the same weights."""
    rng = np.random.default_rng(trainer.recipe.seed)
    wide = stacked([s.wide for s in samples], trainer.device)
    clicks = [list(s.clicks) for s in samples]
    first = seen(trainer, wide, clicks, torch.zeros_like(wide.truth))
    reached = ious(first, wide)
    zoom = stacked([s.zoom for s in samples], trainer.device)
    shifts = torch.tensor([s.shift for s in samples], device=trainer.device)
    prior = zoomed(chosen(*first), shifts)
    side = zoom.image.shape[-1]
    clicks = [carried(list(s.clicks), s.shift, side) for s in samples]
    second = seen(trainer, zoom, clicks, prior)
    prior = chosen(*second)
    truths = [s.zoom for s in samples]
    trainer.click_once(clicks, truths, prior, rng, chance=1.0)
    third = seen(trainer, zoom, clicks, prior)
    return {
        "first": at_best_score(reached, first),
        "best": reached.max(1).values.numpy(),
        "zoomed": at_best_score(ious(second, zoom), second),
        "corrected": at_best_score(ious(third, zoom), third),
    }


def seen(
    trainer: Trainer, windows: Windows, clicks: Sequence[Points], prior: Tensor
) -> Seen:
    """Every mask of the averaged network in eval mode, and their scores."""
    logits, scores = trainer.seen(trainer.averaged, windows, clicks, prior)
    return logits.float(), scores.float()


def ious(answer: Seen, windows: Windows) -> Tensor:
    """``(B, M)`` on the CPU; parts outside the window count as missed."""
    return iou_of(answer[0], windows.truth, windows.counted, windows.outside).cpu()


def at_best_score(reached: Tensor, answer: Seen) -> NDArray[np.float32]:
    """``(B,)``: the IoU of the hypothesis with the best score."""
    best = answer[1].argmax(1, keepdim=True).cpu()
    return np.asarray(reached.gather(1, best)[:, 0])
