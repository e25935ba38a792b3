"""iFCN, the network of DOS (Xu, Price, Cohen, Yang and Huang, CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.fcn import DROPOUT
from napari_iseg.nets.papers.ifcn import Answer
from training.losses.pixelwise import ENTROPIES
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper
from training.photographs import Photographs
from training.recipe import Recipe
from training.trainable import Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class IfcnRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others.

    In stages, each has half the stride of the one before, down to ``stride``.
    """

    stride: int = 8  # 32, 16 or 8
    padded: bool = False  # a frame of 100 pixels, as FCN has
    normed: bool = False  # batch norms in VGG: the paper has none
    dropout: float = DROPOUT

    def trainable(self, stage: int = 0) -> Ifcn:
        arguments = {
            **self.started(),
            "stride": self.stride * 2 ** (len(self.stages) - 1 - stage),
            "padded": self.padded,
            "normed": self.normed,
            "dropout": self.dropout,
        }
        return Ifcn(Description("ifcn", arguments), recipe=self)


@dataclass(frozen=True, slots=True)
class Ifcn(Paper):
    """See ``Trainable``."""

    recipe: IfcnRecipe = field(default_factory=IfcnRecipe)

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        cost = ENTROPIES[self.recipe.summed]
        return cost(answer.logits.float(), windows.truth, windows.counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": IfcnRecipe(
        name="ifcn, cells-small",
        width=0.1,
        normed=True,
        dropout=0.0,
        learning_rate=1e-3,
        **SMALL,
    ),
    # iFCN's own text is not at hand: rates, momentum and decay of FCN's "heavy"
    # learning, one rate for each stride, as FCTSFN, which repeats iFCN, has them.
    "paper": IfcnRecipe(
        name="ifcn, paper",
        pretrained=True,
        padded=True,
        optimiser="sgd",
        momentum=0.99,
        rates=(1e-10, 1e-12, 1e-14),  # strides 32, 16, 8
        epochs=(20, 20, 20),  # ours: RIS-Net's number (4.1)
        stages=(1 / 3, 1 / 3, 1 / 3),
        summed=True,
        photographs=Photographs(data="voc2012/train", pairs=15),  # RIS-Net 4.1
        **{**PUBLISHED, "batch": 1, "weight_decay": 5e-4},
    ),
}
