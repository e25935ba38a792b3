"""DHSNet for saliency (Liu and Han, CVPR 2016), which BRS converts (figure 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.dhsnet import SIDE, Answer, DHSNet
from napari_iseg.nets.papers.description import Description
from napari_iseg.refine.dhsnet import one_object
from napari_iseg.segmenter import Segmenter
from training.dense import Dense, DenseRecipe
from training.fields import FieldSettings
from training.losses.pixelwise import ENTROPIES
from training.paper_training import PUBLISHED
from training.photographs import Photographs
from training.recipe import Recipe
from training.samples import SampleSettings
from training.trainable import Points, Windows

SMALL = 96  # pixels a side
LIMITS = (
    "Cells against their background, whatever the microscope, as far as nuclei, phase "
    "contrast, electron microscopy and drawn shapes teach it; what touches is one "
    "object. It sees 96 pixels a side, so outlines of large objects are coarse."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DhsnetRecipe(DenseRecipe):
    """Its own settings; see ``DenseRecipe`` for the others."""

    side: int = SIDE  # pixels that every image is made to have
    normed: bool = False  # batch norms in VGG

    def trainable(self, _stage: int = 0) -> Saliency:
        arguments = {**self.started(), "side": self.side, "normed": self.normed}
        return Saliency(Description("dhsnet-brs", arguments), summed=self.summed)


@dataclass(frozen=True, slots=True)
class Saliency(Dense):
    """See ``Dense``; every map of the network is told the truth."""

    def loss(
        self, answer: Answer, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        cost = ENTROPIES[self.summed]
        found = [cost(answer.logits.float(), windows.truth, windows.counted)]
        for map_ in answer.coarser:
            truth, counted = (
                F.adaptive_avg_pool2d(one, (map_.shape[-2], map_.shape[-1]))
                for one in (windows.truth, windows.counted)
            )
            found.append(cost(map_.float(), truth, counted))
        return torch.stack(found).sum(0).mean()

    def hypotheses(self, answer: Answer) -> tuple[Tensor, Tensor]:
        return answer.logits, answer.logits.new_zeros(answer.logits.shape[:2])

    def segmenter(self, net: nn.Module) -> Segmenter:
        assert isinstance(net, DHSNet)
        return one_object(deepcopy(net).cpu(), "cpu")

    def classes(self, answer: Answer) -> Tensor:
        return (answer.logits[:, 0] > 0).long()


PRESETS: Mapping[str, Recipe] = {
    "cells-small": DhsnetRecipe(
        name="dhsnet-brs, cells-small",
        limits=LIMITS,
        looked_at=2 * SMALL,
        width=0.2,
        side=SMALL,
        normed=True,
        learning_rate=1e-3,
        steps=3000,
        batch=8,
        samples=SampleSettings(side=SMALL, drawn=0.08, rendered=0.12),
        fields=FieldSettings(
            shares=(
                ("dsb2018", 0.3),
                ("usiigaci", 0.25),
                ("bacteria_phase", 0.1),
                ("yeast_phase_colony", 0.1),
                ("plant_sem_chloroplasts", 0.1),
                ("bbbc039", 0.05),
                ("sem_axons", 0.05),
                ("yeast_brightfield_traps", 0.05),
            ),
            scale=(0.3, 1.3),  # at run time a window may be larger than the network's
            beside=0.5,
            contrast=0.3,
            near=0.0,  # a cell is salient to its edge
        ),
    ),
    "photographs-small": DhsnetRecipe(
        name="dhsnet-brs, photographs-small",
        width=0.2,
        side=SMALL,
        normed=True,
        learning_rate=1e-3,
        steps=2000,
        batch=8,
        samples=SampleSettings(side=SMALL),
        photographs=Photographs(
            data="voc-subset", grid=(SMALL, SMALL), flipped=True, gamma=0.05
        ),
        fields=FieldSettings(held_out="2011_", cropped=0.3),
    ),
    "paper": DhsnetRecipe(
        name="dhsnet-brs, paper",
        pretrained=True,
        optimiser="sgd",
        momentum=0.9,
        learning_rate=0.015,
        epochs=(20,),
        samples=SampleSettings(side=SIDE),
        photographs=Photographs(data="msra10k", grid=(SIDE, SIDE), flipped=True),
        fields=FieldSettings(cropped=0.1),
        **{**PUBLISHED, "batch": 12, "weight_decay": 5e-4},
    ),
}
