"""``cells``: what ships. Trained from scratch on every licence-clear cell data set.

The constants are the defaults of ``CellsRecipe``, ``Recipe`` and ``SampleSettings``,
each beside its meaning; ``--set`` changes any of them for one run. A run may go on with
other ones (``--resume``): cheap small windows first, then larger ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_iseg.click_maps import disc_map
from napari_iseg.nets.cells_net import Answer, CellsNet
from napari_iseg.nets.window_model import CellsModel, net_from
from napari_iseg.refine.windowed import Policy, Windowed
from napari_iseg.weights import read_tensors
from training.losses import answer_loss
from training.recipe import Recipe
from training.trainable import WIDE, Points, Windows, clicked_pixels, grid_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsRecipe(Recipe):
    """How ``cells`` is trained. ``steps`` may grow when a run is resumed."""

    width: int = 32
    hypotheses: int = 3
    disc_radius: float = 3.0
    best_wide: float = 0.85  # share of the best hypothesis in the loss, first click
    best_zoom: float = 0.5  # the same with an answer to start from
    others: bool = True  # the network is shown the objects that are accepted already

    def trainable(self, _stage: int = 0) -> Cells:
        return Cells(self)


@dataclass(frozen=True, slots=True)
class Cells:
    """See ``Trainable``."""

    recipe: CellsRecipe
    shape = "width or number of hypotheses"

    def build(self) -> CellsNet:
        return CellsNet(self.recipe.width, self.recipe.hypotheses)

    def begin(self, net: nn.Module) -> None:
        """All of it is trained at once."""

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        return [{"params": list(net.parameters())}]

    def mode(self, net: nn.Module) -> None:
        net.train()

    def told(
        self, _net: nn.Module, clicks: Sequence[Points], prior: Tensor, others: Tensor
    ) -> dict[str, Any]:
        side = prior.shape[-1]
        discs = draw(clicks, side, self.recipe.disc_radius).to(prior.device)
        shown = others if self.recipe.others else torch.zeros_like(others)
        together = torch.cat([discs, prior.detach(), shown], 1)
        return {"guides": together.contiguous(memory_format=torch.channels_last)}

    def asked(
        self, net: nn.Module, windows: Windows, told: Mapping[str, Any]
    ) -> Answer:
        return net(windows.image, **told)

    def loss(
        self, answer: Answer, windows: Windows, clicks: Sequence[Points], look: str
    ) -> Tensor:
        hit = clicked_pixels(clicks, grid_of(windows.truth)).to(windows.truth.device)
        best = self.recipe.best_wide if look == WIDE else self.recipe.best_zoom
        return answer_loss(
            answer, windows.truth, windows.counted, hit, windows.outside, best=best
        )

    def hypotheses(self, answer: Answer) -> tuple[Tensor, Tensor]:
        return answer.logits, answer.scores

    def segmenter(self, net: nn.Module) -> Windowed:
        copied = deepcopy(net).cpu()
        assert isinstance(copied, CellsNet)
        return Windowed(CellsModel(copied, "cpu"), Policy())

    def trained(self, weights: Path) -> Mapping[str, Tensor]:
        return net_from(read_tensors(weights)).state_dict()

    def metadata(self) -> dict[str, str]:
        return {}  # read off the tensors


def draw(clicks: Sequence[Points], side: int, radius: float) -> Tensor:
    """Positive and negative discs, ``(B, 2, N, N)``."""
    drawn = torch.zeros(len(clicks), 2, side, side)
    for maps, points in zip(drawn, clicks, strict=True):
        for channel, kind in enumerate((True, False)):
            places = [(r, c) for r, c, p in points if p == kind]
            maps[channel] = torch.from_numpy(disc_map(places, (side, side), radius))
    return drawn


RECIPE = CellsRecipe(name="cells")
PRESETS: Mapping[str, Recipe] = {"cells": RECIPE}
