"""BRS (Jang and Kim, CVPR 2019): coarse decoder first, then the fine one beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from napari_iseg.nets.papers.brs import Answer, VGGScales
from napari_iseg.nets.papers.densenet import DenseNet
from napari_iseg.nets.papers.description import Description
from training.losses.pixelwise import ENTROPIES, coarse_and_fine
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper
from training.photographs import Photographs
from training.recipe import Recipe, one_of
from training.trainable import Points, Windows

TRUNKS = {"densenet": DenseNet, "vgg": VGGScales}
COARSE, BOTH = 20, 15  # epochs without and with the fine decoder (section 3.1)
STAGES = (COARSE / (COARSE + BOTH), BOTH / (COARSE + BOTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrsRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others.

    The fine decoder is there in the last stage; all parts go on learning then.
    """

    trunk: str = "densenet"  # or "vgg"
    refines: bool = True
    encoder: float = 1.0  # its learning rate, as a factor

    def trainable(self, stage: int = 0) -> Brs:
        is_fine = self.refines and stage == len(self.stages) - 1
        arguments = {
            **self.started(),
            "trunk": one_of(TRUNKS, "trunk", self.trunk),
            "refines": is_fine,
        }
        factors = (("trunk", self.encoder),)
        return Brs(Description("brs", arguments), (), factors, recipe=self)


@dataclass(frozen=True, slots=True)
class Brs(Paper):
    """See ``Trainable``."""

    recipe: BrsRecipe = field(default_factory=BrsRecipe)

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        fine, coarse = answer.logits.float(), answer.coarse.float()
        truth, counted = windows.truth, windows.counted
        if self.description.arguments["refines"]:
            summed = self.recipe.summed
            return coarse_and_fine(coarse, fine, truth, counted, summed=summed).mean()
        return ENTROPIES[self.recipe.summed](coarse, truth, counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": BrsRecipe(
        name="brs, cells-small", width=0.28, stages=STAGES, **SMALL
    ),
    "paper": BrsRecipe(  # section 3.1
        name="brs, paper",
        pretrained=True,
        optimiser="sgd",
        momentum=0.9,  # not in the paper
        learning_rate=1e-7,
        encoder=0.01,  # 1e-9
        epochs=(COARSE, BOTH),
        stages=STAGES,
        summed=True,  # the rates ask for it
        photographs=Photographs(
            data="sbd/train",
            cut="centred",
            grid=(360, 360),
            flipped=True,
            plan="medoids",
        ),
        **{**PUBLISHED, "batch": 4, "weight_decay": 0.0},
    ),
}
