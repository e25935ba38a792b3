"""ITIS (Mahadevan, Voigtlaender and Leibe, BMVC 2018): iterative training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.itis import RADIUS, Answer
from napari_iseg.nets.papers.resnet import ResNet
from napari_iseg.nets.papers.xception import Xception
from training.losses.pixelwise import WORST, bootstrapped
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper
from training.photographs import GAMMA, Photographs
from training.recipe import Recipe, one_of
from training.trainable import Points, Windows

# Crops of photographs are 350 pixels a side, windows of cells 128: clicks shrink alike.
CELL_RADIUS = 8.0
TRUNKS = {"xception": Xception, "resnet": ResNet}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItisRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others.

    In several stages every pixel is learnt from before the last one: from random
    weights the worst pixels alone are content with a half everywhere.
    """

    trunk: str = "xception"  # or "resnet"
    masked: bool = True  # a channel for the answer so far
    radius: float = RADIUS  # of the clicks, in pixels; twice the Gaussians' sigma
    gaussian: bool = True  # clicks as Gaussians; False: as distances
    reach: float = 1.0  # factor on the dilations of the pyramid pooling
    worst: float = WORST  # share of the pixels that are learnt from

    def trainable(self, stage: int = 0) -> Itis:
        is_last = stage == len(self.stages) - 1
        arguments = {
            **self.started(),
            "trunk": one_of(TRUNKS, "trunk", self.trunk),
            "masked": self.masked,
            "radius": self.radius,
            "gaussian": self.gaussian,
            "reach": self.reach,
        }
        share = self.worst if is_last else 1.0
        return Itis(Description("itis", arguments), recipe=self, share=share)


@dataclass(frozen=True, slots=True)
class Itis(Paper):
    """See ``Trainable``; ``share`` of the pixels is learnt from, the worst ones."""

    recipe: ItisRecipe = field(default_factory=ItisRecipe)
    share: float = WORST

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        logits, counted = answer.logits.float(), windows.counted
        return bootstrapped(logits, windows.truth, counted, self.share).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": ItisRecipe(
        name="itis, cells-small",
        width=0.182,
        radius=CELL_RADIUS,
        worst=1.0,
        **SMALL,
    ),
    "paper": ItisRecipe(  # sections 3.2 and 4.2, appendix B
        name="itis, paper",
        pretrained=True,
        masked=False,
        optimiser="adam",
        learning_rate=1e-5,
        epochs=(20,),
        drops=((10, 0.1), (15, 0.03)),  # 1e-6, then 3e-7
        photographs=Photographs(
            data="voc2012/train",
            cut="part",
            grid=(350, 350),
            gamma=GAMMA,
            lagged=True,
        ),
        **{**PUBLISHED, "batch": 5, "weight_decay": 0.0},  # the batch: code
    ),
}
