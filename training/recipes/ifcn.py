"""iFCN, the network of DOS (Xu, Price, Cohen, Yang and Huang, CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.ifcn import Answer
from training.losses.pixelwise import cross_entropy
from training.paper_training import SMALL, Paper
from training.recipe import Recipe
from training.trainable import Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class IfcnRecipe(Recipe):
    """Its own settings; see ``Recipe`` for the others."""

    stride: int = 8  # 32, 16 or 8
    padded: bool = False  # a frame of 100 pixels, as FCN has

    def trainable(self, _stage: int = 0) -> Ifcn:
        arguments = {
            "width": self.width,
            "stride": self.stride,
            "padded": self.padded,
        }
        return Ifcn(Description("ifcn", arguments))


@dataclass(frozen=True, slots=True)
class Ifcn(Paper):
    """See ``Trainable``."""

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        logits = answer.logits.float()
        return cross_entropy(logits, windows.truth, windows.counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": IfcnRecipe(
        name="ifcn, cells-small", width=0.1, learning_rate=1e-3, **SMALL
    ),
}
