"""U-Net for cells (Ronneberger et al., MICCAI 2015), which BRS converts (table 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.unet import CELL_CLASSES, LOST
from training.dense import Dense, DenseRecipe
from training.fields import FieldSettings
from training.paper_training import PUBLISHED
from training.recipe import Recipe
from training.samples import SampleSettings

GREY = 1
LIMITS = (
    "Adherent cells and microbes in phase contrast, at sizes from about 10 to 150 "
    "pixels; cells of other microscopes only as far as drawn shapes rendered in their "
    "manner teach them. Made to be corrected by clicks."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetRecipe(DenseRecipe):
    """Its own settings; see ``DenseRecipe`` for the others.

    ``fields.near`` above 0 asks for borders between cells as a third class.
    """

    padded: bool = False
    normed: bool = False

    def trainable(self, _stage: int = 0) -> Dense:
        has_borders = self.fields.near > 0
        arguments = {
            "width": self.width,
            "padded": self.padded,
            "classes": len(CELL_CLASSES) if has_borders else 2,
            "normed": self.normed,
        }
        return Dense(Description("unet-brs", arguments), GREY)


PRESETS: Mapping[str, Recipe] = {
    "cells-small": UNetRecipe(
        name="unet-brs, cells-small",
        width=0.1875,
        padded=True,
        normed=True,
        channels=GREY,
        limits=LIMITS,
        steps=8000,
        batch=4,
        samples=SampleSettings(side=160, drawn=0.04, rendered=0.1),
        fields=FieldSettings(
            shares=(
                ("usiigaci", 0.7),
                ("bacteria_phase", 0.1),
                ("yeast_phase_colony", 0.1),
                ("dsb2018", 0.1),
            ),
            scale=(0.5, 1.3),
            beside=0.7,  # dirt and scratches that are no cells lie anywhere
            contrast=0.3,
            bent=3.0,
        ),
    ),
    "paper": UNetRecipe(
        name="unet-brs, paper",
        channels=GREY,
        lost=LOST,
        optimiser="sgd",
        momentum=0.99,  # section 3, for batches of one tile
        learning_rate=1e-3,  # of a mean over the pixels; not in the paper
        samples=SampleSettings(side=572, drawn=0.0, rendered=0.0, varied=0.0),
        fields=FieldSettings(
            data="ctc/PhC-C2DH-U373",
            images="01/",
            held_out="02/",
            beside=1.0,
            bent=10.0,  # section 3.1
            near=0.0,  # two classes
            seam=10.0,  # w0 of eq. 2
            seam_width=5.0,  # sigma
        ),
        **{**PUBLISHED, "steps": 60_000, "batch": 1, "weight_decay": 0.0},
    ),
}
