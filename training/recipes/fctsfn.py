"""FCTSFN (Hu, Soltoggio, Lock and Carter, Neural Networks 2019): TSLFN, then MSRN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.fctsfn import STREAMS, Answer
from training.losses.pixelwise import cross_entropy
from training.paper_training import SMALL, Paper
from training.recipe import Recipe
from training.trainable import Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class FctsfnRecipe(Recipe):
    """Its own settings; see ``Recipe`` for the others.

    In two stages the refining network learns in the second one, with the two-stream
    network fixed (section 3.3); in a single one both learn at once.
    """

    streams: int = STREAMS  # stages of VGG in each stream
    stride: int = 8
    refines: bool = True
    padded: bool = False  # a frame of 100 pixels, as FCN has

    def trainable(self, stage: int = 0) -> Fctsfn:
        is_second = stage > 0
        arguments = {
            "width": self.width,
            "streams": self.streams,
            "stride": self.stride,
            "refines": self.refines and stage == len(self.stages) - 1,
            "padded": self.padded,
        }
        fixed = ("two_streams",) if is_second and self.refines else ()
        return Fctsfn(Description("fctsfn", arguments), fixed)


@dataclass(frozen=True, slots=True)
class Fctsfn(Paper):
    """See ``Trainable``."""

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        """Of the refined answer; there is none in the first stage."""
        logits = answer.logits.float()
        return cross_entropy(logits, windows.truth, windows.counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": FctsfnRecipe(
        name="fctsfn, cells-small",
        width=0.1,
        learning_rate=1e-3,
        stages=(0.7, 0.3),
        **SMALL,
    ),
}
