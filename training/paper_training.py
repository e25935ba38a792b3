"""What the six papers' networks have in common when they are trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Grid
from napari_iseg.nets.papers.description import Description, read_network
from napari_iseg.refine.papers import segmenter_of
from napari_iseg.segmenter import Segmenter
from training.paper_recipe import ALL
from training.samples import SampleSettings
from training.trainable import Points, Windows, grid_of, labelled_pixels

# Cell pool, windows, clicks and budget of ``--preset cells-small``, the same for all
# six. They are trained for what they are asked at run time: whole objects with all
# their clicks, no masks from elsewhere, one way of drawing an outline. Other cameras
# cost clicks in so few steps (docs/ablation.md). Norms settle at last: by what they
# remember of two kinds of windows the networks are much worse before they do.
SMALL_SAMPLES = SampleSettings(
    side=96, canvas=256, local=0.0, degraded=0.0, convention=0.0, varied=0.0
)
SMALL: Mapping[str, Any] = {
    "samples": SMALL_SAMPLES,
    "batch": 16,
    "steps": 3200,
    "settled": 0.22,
}

# Of ``--preset paper``: nothing that the papers do not have.
PUBLISHED: Mapping[str, Any] = {
    "steps": ALL,
    "precision": "fp32",
    "warm_up": 1,
    "decay": 0.0,
    "average": 0.0,
    "settled": 0.0,
    "clip": float("inf"),
    "validate": 0,
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A network of ``napari_iseg.nets.papers`` in one stage; see ``Trainable``.

    Attributes
    ----------
    description
        The network as it is in this stage.
    fixed
        Names of its parts that the stage does not train.
    factors
        Of the learning rate, by the names of parts; 1 elsewhere.
    """

    description: Description
    fixed: tuple[str, ...] = ()
    factors: tuple[tuple[str, float], ...] = ()

    @property
    def shape(self) -> str:
        return "width or form"

    def build(self) -> nn.Module:
        return self.description.build()

    def begin(self, net: nn.Module) -> None:
        for name in self.fixed:
            net.get_submodule(name).requires_grad_(requires_grad=False)

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """Parameters by part; what is fixed is in no group."""
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in net.named_parameters():
            if parameter.requires_grad:
                factor = dict(self.factors).get(name.split(".")[0], 1.0)
                groups.setdefault(factor, []).append(parameter)
        return [{"params": found, "factor": by} for by, found in groups.items()]

    def mode(self, net: nn.Module) -> None:
        net.train()
        for name in self.fixed:
            net.get_submodule(name).eval()

    def told(
        self, net: nn.Module, clicks: Sequence[Points], prior: Tensor, _others: Tensor
    ) -> dict[str, Any]:
        """Maps in window pixels; a mask or the clicks themselves where they are taken.

        None of the papers' networks knows of other objects.
        """
        grid = grid_of(prior)
        placed = [in_pixels(points, grid) for points in clicks]
        encoder: Any = net.encoder
        maps = torch.from_numpy(np.stack([encoder(one, grid) for one in placed]))
        told: dict[str, Any] = {"maps": maps.to(prior.device)}
        if getattr(net, "masked", False):
            told["mask"] = prior.detach()
        if "clicks" in signature(net.forward).parameters:
            told["clicks"] = placed
        return told

    def asked(self, net: nn.Module, windows: Windows, told: Mapping[str, Any]) -> Any:
        return net(windows.image, **told)

    def hypotheses(self, answer: Any) -> tuple[Tensor, Tensor]:
        logits: Tensor = answer.logits
        return logits, logits.new_zeros(logits.shape[:2])

    def segmenter(self, net: nn.Module) -> Segmenter:
        return segmenter_of(deepcopy(net).cpu())

    def trained(self, weights: Path) -> Mapping[str, Tensor]:
        return read_network(weights, self.description.name).state_dict()

    def metadata(self) -> dict[str, str]:
        return self.description.metadata()


def in_pixels(points: Points, grid: Grid) -> Clicks:
    """Clicks as pixels of their window, as ``nets.told.Told`` has it at run time."""

    def inside(place: float, length: int) -> int:
        return min(max(round(place), 0), length - 1)

    return Clicks(
        tuple(
            Click(inside(row, grid[0]), inside(column, grid[1]), kind)
            for row, column, kind in points
        )
    )


def clicked_by_kind(clicks: Sequence[Points], like: Tensor) -> tuple[Tensor, Tensor]:
    """1 on positive and on negative clicks, ``(B, 1, N, N)`` each, beside ``like``."""
    hit = labelled_pixels(clicks, grid_of(like)).to(like.device)
    return hit[:, :1], hit[:, 1:]
