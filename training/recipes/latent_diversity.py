"""Latent Diversity (Li, Chen and Koltun, CVPR 2018): f draws masks, g chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.latent_diversity import MASKS, TRUNCATION, Answer
from training.losses.latent_diversity import (
    hindsight,
    ranked_diversity,
    released,
    selection,
)
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper, clicked_by_kind
from training.photographs import Photographs
from training.recipe import Recipe
from training.simulated_clicks.ifcn import LATENT_DIVERSITY
from training.trainable import Points, Windows

F = ("vision", "project", "segment")  # the network f; the rest is g
# Photographs are 480 pixels a side, windows of cells 96: distances shrink alike.
CELL_LIMIT = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentDiversityRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others.

    In two stages g learns after f, which is fixed then (section 5.1); in a single one
    both learn at once. No gradient of g reaches f either way.
    """

    context: float = 1.0  # factor on the channels of layers 1 to 10 and of g
    masks: int = MASKS  # M; 1: no diversity
    selects: bool = True  # g chooses; otherwise the masks are ranked (eq. 7)
    shuffled: bool = True  # g learns from masks in an order by lot (section 4)
    limit: float = TRUNCATION  # of the distances, in pixels; 1: clicked pixels alone
    normed: bool = False  # batch norms: the paper has none
    released: bool = False  # the loss of the released code: clicks bind all masks
    soft: float = 1.0  # weight of the clicks that are not obeyed (eq. 4 in eq. 5)

    def trainable(self, stage: int = 0) -> LatentDiversity:
        is_last = stage == len(self.stages) - 1
        arguments = {
            **self.started(),
            "context": self.context,
            "masks": self.masks,
            "selects": self.selects and self.masks > 1 and is_last,
            "limit": self.limit,
            "normed": self.normed,
        }
        fixed = F if stage and arguments["selects"] else ()
        return LatentDiversity(
            Description("latent-diversity", arguments), fixed, recipe=self
        )


@dataclass(frozen=True, slots=True)
class LatentDiversity(Paper):
    """See ``Trainable``."""

    recipe: LatentDiversityRecipe = field(default_factory=LatentDiversityRecipe)

    def asked(
        self, net: nn.Module, windows: Windows, told: Mapping[str, Any]
    ) -> Answer:
        """Shows g the masks in an order by lot, if the recipe says so."""
        order = torch.randperm(self.recipe.masks) if self.recipe.shuffled else None
        return net(windows.image, **told, order=order)

    def loss(
        self, answer: Answer, windows: Windows, clicks: Sequence[Points], _look: str
    ) -> Tensor:
        recipe, counted = self.recipe, windows.counted
        probability = answer.logits.float().sigmoid() * counted
        truth = windows.truth * counted
        if self.fixed:
            return selection(answer.scores.float(), probability, truth).mean()
        inside, outside = (one * counted for one in clicked_by_kind(clicks, truth))
        cost = self.learn(probability, truth, inside, outside, soft=recipe.soft)
        if self.description.arguments["selects"]:
            cost = cost + selection(answer.scores.float(), probability, truth)
        return cost.mean()

    @property
    def learn(self) -> Callable[..., Tensor]:
        """The loss of f."""
        if self.recipe.released:
            return released
        only = self.recipe.selects or self.recipe.masks == 1
        return hindsight if only else ranked_diversity

    def hypotheses(self, answer: Answer) -> tuple[Tensor, Tensor]:
        return answer.logits, answer.scores


PRESETS: Mapping[str, Recipe] = {
    "cells-small": LatentDiversityRecipe(
        name="latent-diversity, cells-small",
        width=0.25,
        context=2.0,
        limit=CELL_LIMIT,
        normed=True,
        released=True,
        rates=(1e-3,),
        selects=False,  # as released; in so few steps g chooses worse than the ranks
        **SMALL,
    ),
    "paper": LatentDiversityRecipe(  # section 5.1
        name="latent-diversity, paper",
        pretrained=True,
        optimiser="adam",
        learning_rate=1e-4,
        epochs=(100, 100),  # f; then g, "using the same procedure"
        stages=(0.5, 0.5),
        photographs=Photographs(data="sbd/train", ifcn=LATENT_DIVERSITY),
        **{**PUBLISHED, "batch": 1, "weight_decay": 0.0},  # "single-image minibatches"
    ),
}
