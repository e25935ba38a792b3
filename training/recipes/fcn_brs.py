"""FCN for classes of pixels (Long et al., CVPR 2015), which BRS converts (table 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.semantic import VOC_CLASSES
from training.class_files import KIND_CLASSES, KINDS
from training.dense import Dense, DenseRecipe
from training.fields import FieldSettings
from training.paper_training import PUBLISHED
from training.photographs import Photographs
from training.recipe import Recipe
from training.samples import SampleSettings

LIMITS = (
    "Tells apart five kinds of objects, each from one laboratory: made to try clicks "
    "that name a class on, not to tell cells apart."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FcnRecipe(DenseRecipe):
    """Its own settings; see ``DenseRecipe`` for the others.

    In stages, each has half the stride of the one before, down to ``stride``.
    """

    stride: int = 8  # 32, 16 or 8
    padded: bool = False  # a frame of 100 pixels, as FCN has
    normed: bool = False  # batch norms in VGG
    classes: int = len(VOC_CLASSES)

    def trainable(self, stage: int = 0) -> Dense:
        arguments = {
            **self.started(),
            "classes": self.classes,
            "stride": self.stride * 2 ** (len(self.stages) - 1 - stage),
            "padded": self.padded,
            "normed": self.normed,
        }
        described = Description("fcn-brs", arguments)
        return Dense(described, kinds=True, summed=self.summed)


PRESETS: Mapping[str, Recipe] = {
    "cells-small": FcnRecipe(
        name="fcn-brs, cells-small",
        limits=LIMITS,
        width=0.1,
        classes=len(KIND_CLASSES),
        normed=True,
        steps=3000,
        batch=4,
        # Kinds are told apart by their looks: those do not vary.
        samples=SampleSettings(side=160, drawn=0.0, rendered=0.0, varied=0.0),
        fields=FieldSettings(
            shares=tuple((name, 1.0) for name in KINDS),
            kinds=True,
            scale=(0.5, 1.3),
            contrast=0.3,
            seam=0.0,
        ),
    ),
    "paper": FcnRecipe(  # section 4.3; "heavy" learning as in the released models
        name="fcn-brs, paper",
        pretrained=True,
        padded=True,
        optimiser="sgd",
        momentum=0.99,
        rates=(1e-10, 1e-12, 1e-14),  # strides 32, 16, 8
        epochs=(12, 12, 12),  # 100,000 images each
        stages=(1 / 3, 1 / 3, 1 / 3),
        summed=True,
        photographs=Photographs(data="sbd/train"),
        fields=FieldSettings(objects=False, seam=0.0),
        **{**PUBLISHED, "batch": 1, "weight_decay": 5e-4},
    ),
}
