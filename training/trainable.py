"""What is trained, apart from how: a network, what it is told, what an answer costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_iseg.arrays import Grid
from napari_iseg.segmenter import Segmenter
from training.samples import WindowSample

Points: TypeAlias = list[tuple[float, float, bool]]  # row, column, is_positive
WIDE, ZOOM = "wide", "zoom"  # the two looks at a sample


@dataclass(frozen=True, slots=True)
class Windows:
    """A batch of one kind of window as tensors."""

    image: Tensor  # (B, 3, N, N)
    truth: Tensor  # (B, 1, N, N)
    others: Tensor
    counted: Tensor
    outside: Tensor  # (B,)


class Trainable(Protocol):
    """A network in one stage of its training.

    Attributes
    ----------
    shape
        The settings that give the weights their shapes, in words.
    """

    @property
    def shape(self) -> str: ...

    def build(self) -> nn.Module:
        """The network with first weights."""
        ...

    def begin(self, net: nn.Module) -> None:
        """Fix what this stage does not train."""
        ...

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """Parameters for the optimiser; ``factor``: of the recipe's learning rate."""
        ...

    def mode(self, net: nn.Module) -> None:
        """As ``net.train()``; parts that are fixed stay as at run time."""
        ...

    def told(
        self, net: nn.Module, clicks: Sequence[Points], prior: Tensor, others: Tensor
    ) -> dict[str, Any]:
        """What the network sees beside the image, by the names of its arguments.

        ``prior`` and ``others`` ``(B, 1, N, N)``: the answer so far, other objects.
        """
        ...

    def asked(self, net: nn.Module, windows: Windows, told: Mapping[str, Any]) -> Any:
        """The answer that is learnt from."""
        ...

    def loss(
        self, answer: Any, windows: Windows, clicks: Sequence[Points], look: str
    ) -> Tensor:
        """The mean cost of a batch; ``look`` is ``WIDE`` or ``ZOOM``."""
        ...

    def hypotheses(self, answer: Any) -> tuple[Tensor, Tensor]:
        """Logits of the masks ``(B, M, N, N)`` and their scores ``(B, M)``."""
        ...

    def segmenter(self, net: nn.Module) -> Segmenter:
        """The inference that ships around a copy of ``net``, on the CPU."""
        ...

    def trained(self, weights: Path) -> Mapping[str, Tensor]:
        """The state of exported weights; ValueError if they are another network's."""
        ...

    def metadata(self) -> dict[str, str]:
        """What exported weights say of their network."""
        ...


def grid_of(maps: Tensor) -> Grid:
    """Height and width."""
    return maps.shape[-2], maps.shape[-1]


def stacked(windows: Sequence[WindowSample], device: torch.device) -> Windows:
    """The windows of one look as tensors."""

    def channel(arrays: Sequence[NDArray[np.bool_]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)[:, None]).to(device).float()

    image = torch.from_numpy(np.stack([w.image for w in windows])).to(device).float()
    return Windows(
        image.contiguous(memory_format=torch.channels_last),
        channel([w.truth for w in windows]),
        channel([w.others for w in windows]),
        channel([~w.ignored for w in windows]),
        torch.tensor([w.outside for w in windows], device=device),
    )


def clicked_pixels(clicks: Sequence[Points], grid: Grid) -> Tensor:
    """1 on clicked pixels, ``(B, 1, H, W)``."""
    return labelled_pixels(clicks, grid).amax(1, keepdim=True)


def labelled_pixels(clicks: Sequence[Points], grid: Grid) -> Tensor:
    """1 on pixels that are clicked as object, and as background: ``(B, 2, H, W)``."""
    hit = np.zeros((len(clicks), 2, *grid), np.float32)
    for b, points in enumerate(clicks):
        for r, c, is_positive in points:
            row, column = round(r), round(c)
            if 0 <= row < grid[0] and 0 <= column < grid[1]:
                hit[b, 0 if is_positive else 1, row, column] = 1
    return torch.from_numpy(hit)
