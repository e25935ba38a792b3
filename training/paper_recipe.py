"""What a paper's recipe can say beyond ``Recipe``: epochs, rates, photographs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

from torch import optim

from training.photographs import CUTS, Photographs
from training.recipe import Recipe

ALL = 1_000_000_000  # steps: until the epochs are over


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRecipe(Recipe):
    """A network of ``napari_iseg.nets.papers``; see ``Recipe`` for what is not here.

    With ``photographs.data`` steps are counted in epochs, as the papers do; fewer
    ``steps`` shorten all stages alike.
    """

    pretrained: bool = False  # begin with ImageNet's weights, as the paper did
    optimiser: str = "adamw"  # or "adam", "sgd"
    momentum: float = 0.9  # of "sgd"
    rates: tuple[float, ...] = ()  # learning rate of each stage; (): all alike
    batches: tuple[int, ...] = ()  # samples a step in each stage; (): all alike
    epochs: tuple[float, ...] = ()  # of each stage
    drops: tuple[tuple[float, float], ...] = ()  # from an epoch on, factor of the rate
    summed: bool = False  # cross-entropies are not divided by the number of pixels
    photographs: Photographs = field(default_factory=Photographs)

    def batch_at(self, step: int) -> int:
        """Samples of a step."""
        return self.batches[self.stage_at(step)] if self.batches else self.batch

    def rate_at(self, stage: int, done: float) -> float:
        """The learning rate when a share of a stage is done."""
        rate = self.rates[stage] if self.rates else self.learning_rate
        epoch = done * self.epochs[stage] if self.epochs else 0.0
        factors = [by for first, by in self.drops if first <= epoch]
        return rate * (factors[-1] if factors else 1.0)

    def optimiser_of(self, groups: list[dict[str, Any]]) -> optim.Optimizer:
        decay = self.weight_decay
        if self.optimiser == "sgd":
            return optim.SGD(groups, 1.0, momentum=self.momentum, weight_decay=decay)
        kind = {"adam": optim.Adam, "adamw": optim.AdamW}[self.optimiser]
        return kind(groups, self.learning_rate, weight_decay=decay)

    def sized(self, epoch: int) -> Self:
        """With steps and stages for a data set of ``epoch`` samples."""
        if not self.epochs:
            return self
        sizes = self.batches or (self.batch,) * len(self.epochs)
        counts = [
            max(1, math.ceil(number * epoch / size))
            for number, size in zip(self.epochs, sizes, strict=True)
        ]
        stages = tuple(count / sum(counts) for count in counts)
        return replace(self, steps=min(self.steps, sum(counts)), stages=stages)

    def started(self) -> dict[str, Any]:
        """Arguments of every network."""
        start = {"pretrained": True} if self.pretrained else {}
        return {"width": self.width, **start}

    def check(self) -> None:
        """ValueError if settings do not go together."""
        self.trainable()
        if self.optimiser not in ("adamw", "adam", "sgd"):
            raise ValueError(
                f"optimiser={self.optimiser!r} is not one of ['adamw', 'adam', 'sgd']"
            )
        if self.photographs.cut not in CUTS:
            raise ValueError(
                f"photographs.cut={self.photographs.cut!r} is not one of {list(CUTS)}"
            )
        for name in ("rates", "batches"):
            given = getattr(self, name)
            if given and len(given) != len(self.epochs or self.stages):
                raise ValueError(
                    f"{name}={given} must have a value for each of the "
                    f"{len(self.epochs or self.stages)} stages"
                )
