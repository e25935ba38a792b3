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
from training.paper_training import SMALL, Paper
from training.recipe import Recipe, one_of
from training.trainable import Points, Windows

# Crops of photographs are 350 pixels a side, windows of cells 128: clicks shrink alike.
CELL_RADIUS = 8.0
TRUNKS = {"xception": Xception, "resnet": ResNet}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItisRecipe(Recipe):
    """Its own settings; see ``Recipe`` for the others."""

    trunk: str = "xception"  # or "resnet"
    masked: bool = True  # a channel for the answer so far
    radius: float = RADIUS  # of the clicks, in pixels; twice the Gaussians' sigma
    gaussian: bool = True  # clicks as Gaussians; False: as distances
    worst: float = WORST  # share of the pixels that are learnt from

    def trainable(self, _stage: int = 0) -> Itis:
        arguments = {
            "width": self.width,
            "trunk": one_of(TRUNKS, "trunk", self.trunk),
            "masked": self.masked,
            "radius": self.radius,
            "gaussian": self.gaussian,
        }
        return Itis(Description("itis", arguments), recipe=self)


@dataclass(frozen=True, slots=True)
class Itis(Paper):
    """See ``Trainable``."""

    recipe: ItisRecipe = field(default_factory=ItisRecipe)

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        logits, counted = answer.logits.float(), windows.counted
        return bootstrapped(logits, windows.truth, counted, self.recipe.worst).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": ItisRecipe(
        name="itis, cells-small", width=0.182, radius=CELL_RADIUS, **SMALL
    ),
}
