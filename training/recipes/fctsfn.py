"""FCTSFN (Hu, Soltoggio, Lock and Carter, Neural Networks 2019): TSLFN, then MSRN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.fctsfn import STREAMS, Answer
from training.losses.pixelwise import ENTROPIES
from training.paper_recipe import PaperRecipe
from training.paper_training import PUBLISHED, SMALL, Paper
from training.photographs import Photographs
from training.recipe import Recipe
from training.trainable import Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class FctsfnRecipe(PaperRecipe):
    """Its own settings; see ``PaperRecipe`` for the others.

    In stages the refining network learns in the last one, with the two-stream network
    fixed (section 3.3), which has half the stride in each stage before, down to
    ``stride``. In a single stage all learns at once.
    """

    streams: int = STREAMS  # stages of VGG in each stream
    stride: int = 8
    refines: bool = True
    refining: tuple[float, float] | None = None  # factor on its channels, dropout
    padded: bool = False  # a frame of 100 pixels, as FCN has
    normed: bool = False  # batch norms in VGG: the paper has none

    def trainable(self, stage: int = 0) -> Fctsfn:
        last = len(self.stages) - 1
        is_fixed = self.refines and stage == last > 0
        coarser = last - stage - (self.refines and stage < last)
        arguments = {
            **self.started(),
            "streams": self.streams,
            "stride": self.stride * 2**coarser,
            "refines": self.refines and stage == last,
            "refining": self.refining,
            "padded": self.padded,
            "normed": self.normed,
        }
        fixed = ("two_streams",) if is_fixed else ()
        return Fctsfn(Description("fctsfn", arguments), fixed, recipe=self)


@dataclass(frozen=True, slots=True)
class Fctsfn(Paper):
    """See ``Trainable``."""

    recipe: FctsfnRecipe = field(default_factory=FctsfnRecipe)

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        """Of the refined answer; without a refining network, of the coarse one."""
        cost = ENTROPIES[self.recipe.summed]
        return cost(answer.logits.float(), windows.truth, windows.counted).mean()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": FctsfnRecipe(
        name="fctsfn, cells-small",
        width=0.1,
        refining=(0.25, 0.0),
        normed=True,
        learning_rate=1e-3,
        stages=(0.7, 0.3),
        **SMALL,
    ),
    "paper": FctsfnRecipe(  # section 3.3; what it does not say, from the released code
        name="fctsfn, paper",
        pretrained=True,
        padded=True,
        optimiser="sgd",
        momentum=0.99,
        rates=(1e-10, 1e-12, 1e-14, 1e-8),  # strides 32, 16, 8 (code); MSRN (3.3)
        batches=(1, 1, 1, 3),
        epochs=(1, 1, 1, 1),  # ours: the paper stops by a look at 200 images
        stages=(0.25, 0.25, 0.25, 0.25),
        summed=True,
        photographs=Photographs(
            data="voc2012/train",
            cut="object",
            grid=(240, 320),
            turned=0.5,
            flipped=True,  # section 4.1
            pairs=15,  # three strategies, five times each (section 4.1)
        ),
        **{**PUBLISHED, "weight_decay": 5e-4},
    ),
}
