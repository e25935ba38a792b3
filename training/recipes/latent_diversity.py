"""Latent Diversity (Li, Chen and Koltun, CVPR 2018): f draws masks, g chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.latent_diversity import MASKS, TRUNCATION, Answer
from training.losses.latent_diversity import hindsight, ranked_diversity, selection
from training.paper_training import SMALL, Paper, clicked_by_kind
from training.recipe import Recipe
from training.trainable import Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentDiversityRecipe(Recipe):
    """Its own settings; see ``Recipe`` for the others."""

    masks: int = MASKS  # M; 1: no diversity
    selects: bool = True  # g chooses; otherwise the masks are ranked (eq. 7)
    limit: float = TRUNCATION  # of the distances, in pixels; 1: clicked pixels alone
    soft: float = 1.0  # weight of the clicks that are not obeyed (eq. 4 in eq. 5)

    def trainable(self, _stage: int = 0) -> LatentDiversity:
        arguments = {
            "width": self.width,
            "masks": self.masks,
            "selects": self.selects and self.masks > 1,
            "limit": self.limit,
        }
        return LatentDiversity(Description("latent-diversity", arguments), recipe=self)


@dataclass(frozen=True, slots=True)
class LatentDiversity(Paper):
    """See ``Trainable``. No gradient of g reaches f, so both may learn at once."""

    recipe: LatentDiversityRecipe = field(default_factory=LatentDiversityRecipe)

    def asked(
        self, net: nn.Module, windows: Windows, told: Mapping[str, Any]
    ) -> Answer:
        """Shows g the masks in an order by lot (section 4)."""
        return net(windows.image, **told, order=torch.randperm(self.recipe.masks))

    def loss(
        self, answer: Answer, windows: Windows, clicks: Sequence[Points], _look: str
    ) -> Tensor:
        recipe, counted = self.recipe, windows.counted
        probability = answer.logits.float().sigmoid() * counted
        truth = windows.truth * counted
        inside, outside = (one * counted for one in clicked_by_kind(clicks, truth))
        if recipe.masks > 1 and not recipe.selects:
            cost = ranked_diversity(
                probability, truth, inside, outside, soft=recipe.soft
            )
            return cost.mean()
        cost = hindsight(probability, truth, inside, outside, soft=recipe.soft)
        if recipe.masks > 1:
            cost = cost + selection(answer.scores.float(), probability, truth)
        return cost.mean()

    def hypotheses(self, answer: Answer) -> tuple[Tensor, Tensor]:
        return answer.logits, answer.scores


PRESETS: Mapping[str, Recipe] = {
    "cells-small": LatentDiversityRecipe(
        name="latent-diversity, cells-small",
        width=0.25,
        learning_rate=1e-3,
        **SMALL,
    ),
}
