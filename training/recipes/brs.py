"""BRS (Jang and Kim, CVPR 2019): coarse decoder first, then the fine one beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from napari_iseg.nets.papers.brs import Answer, VGGScales
from napari_iseg.nets.papers.densenet import DenseNet
from napari_iseg.nets.papers.description import Description
from training.losses.pixelwise import coarse_and_fine, cross_entropy
from training.paper_training import SMALL, Paper
from training.recipe import Recipe, one_of
from training.trainable import Points, Windows

TRUNKS = {"densenet": DenseNet, "vgg": VGGScales}
COARSE, BOTH = 20, 15  # epochs without and with the fine decoder (section 3.1)
STAGES = (COARSE / (COARSE + BOTH), BOTH / (COARSE + BOTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class BrsRecipe(Recipe):
    """Its own settings; see ``Recipe`` for the others.

    The fine decoder is there in the last stage; all parts go on learning then.
    """

    trunk: str = "densenet"  # or "vgg"
    refines: bool = True

    def trainable(self, stage: int = 0) -> Brs:
        is_fine = self.refines and stage == len(self.stages) - 1
        arguments = {
            "width": self.width,
            "trunk": one_of(TRUNKS, "trunk", self.trunk),
            "refines": is_fine,
        }
        return Brs(Description("brs", arguments))


@dataclass(frozen=True, slots=True)
class Brs(Paper):
    """See ``Trainable``."""

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        fine, coarse = answer.logits.float(), answer.coarse.float()
        truth, counted = windows.truth, windows.counted
        if self.description.arguments["refines"]:
            return coarse_and_fine(coarse, fine, truth, counted).mean()
        return cross_entropy(coarse, truth, counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": BrsRecipe(
        name="brs, cells-small", width=0.28, stages=STAGES, **SMALL
    ),
}
