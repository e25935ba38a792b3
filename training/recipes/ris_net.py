"""RIS-Net (Liew et al., ICCV 2017): the whole image, and regions with less to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from napari_iseg.nets.papers.click_regions import regions_of
from napari_iseg.nets.papers.deeplab import DROPOUT, LARGE
from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.ris_net import Answer
from training.losses.regions import DISCOUNT, discounted_entropies, discounted_rewards
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper
from training.photographs import Photographs
from training.recipe import Recipe
from training.sliding import REGIONS, with_slid
from training.trainable import Points, Windows

# By fusion: eq. 2 rewards what a maximum gains; of a mean each region learns by itself.
LOSSES = {"max": discounted_rewards, "mean": discounted_entropies}


@dataclass(frozen=True, slots=True, kw_only=True)
class RisNetRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others."""

    local: bool = True
    context: bool = True
    fusion: str = "mean"  # or "max", as in eq. 3
    normed: bool = False  # batch norms in VGG: the paper has none
    reach: int = LARGE  # dilation of conv6
    dropout: float = DROPOUT
    regions: int = REGIONS  # of each image in training, if it has two or more
    discount: float = DISCOUNT  # gamma; 1: every region counts alike

    def trainable(self, _stage: int = 0) -> RisNet:
        arguments = {
            **self.started(),
            "local": self.local,
            "context": self.context,
            "fusion": self.fusion,
            "normed": self.normed,
            "reach": self.reach,
            "dropout": self.dropout,
        }
        return RisNet(Description("ris-net", arguments), recipe=self)


@dataclass(frozen=True, slots=True)
class RisNet(Paper):
    """See ``Trainable``."""

    recipe: RisNetRecipe = field(default_factory=RisNetRecipe)

    def asked(
        self, net: nn.Module, windows: Windows, told: Mapping[str, Any]
    ) -> Answer:
        """With more regions, slid along the outline (section 3.2.1)."""
        truths = windows.truth[:, 0].cpu().numpy() > 0.5
        regions = [
            with_slid(regions_of(clicks, truth.shape), truth, self.recipe.regions)
            for clicks, truth in zip(told["clicks"], truths, strict=True)
        ]
        return net(windows.image, **told, regions=regions)

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        each = zip(
            answer.whole[:, 0].float().sigmoid(),
            answer.parts,
            answer.regions,
            windows.truth[:, 0],
            windows.counted[:, 0],
            strict=True,
        )
        return torch.stack([self.cost(*one) for one in each]).mean()

    def cost(
        self,
        whole: Tensor,
        parts: Tensor,
        regions: Tensor,
        truth: Tensor,
        counted: Tensor,
    ) -> Tensor:
        """Of one image; where nothing counts, every answer is right."""
        inside = parts.float().sigmoid() * regions
        known = [counted * one + (1 - counted) * truth for one in (whole, inside)]
        known[1] = known[1] * regions
        loss = LOSSES[self.recipe.fusion]
        return loss(known[0], known[1], regions, truth, self.recipe.discount)


PRESETS: Mapping[str, Recipe] = {
    "cells-small": RisNetRecipe(
        name="ris-net, cells-small",
        width=0.16,
        normed=True,
        dropout=0.0,
        regions=3,
        learning_rate=1e-3,
        **SMALL,
    ),
    "paper": RisNetRecipe(  # sections 3.3 and 4.1
        name="ris-net, paper",
        pretrained=True,
        fusion="max",
        optimiser="sgd",
        momentum=0.9,
        learning_rate=1e-3,
        epochs=(20,),
        drops=((5, 0.1), (10, 0.01), (15, 0.001)),
        photographs=Photographs(data="voc2012/train", pairs=15, flipped=True),
        **{**PUBLISHED, "batch": 2, "weight_decay": 5e-4},
    ),
}
