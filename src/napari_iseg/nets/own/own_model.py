"""A converted network that answers for windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_iseg.nets.own.converted import Converted
from napari_iseg.nets.papers.paper_model import rated
from napari_iseg.nets.question import Question, owned
from napari_iseg.nets.told import Told
from napari_iseg.nets.window_model import Hypotheses

NOTHING = -20.0  # log-odds of an object where there is no image
STEP = 1.0  # maps are changed in units of the network's input


class Shown(NamedTuple):
    """The part of a window that lies in the image, from its first row and column on."""

    image: Tensor  # (1, 3, h, w), h and w up to side
    side: int


class OwnModel:
    """See ``WindowModel``. Clicks are not drawn: the maps are zeros until BRS runs."""

    def __init__(self, net: Converted, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self.net = net.to(self.device)

    def look(self, image: NDArray[np.float32]) -> list[Shown]:
        return [self.look_at(one, one.shape[:2]) for one in image]

    def look_at(self, image: NDArray[np.float32], inside: tuple[int, ...]) -> Shown:
        """A window ``(N, N, 3)`` of which ``inside`` rows and columns are the image."""
        part = image[: inside[0], : inside[1]].clip(0, 1)
        pixels = torch.from_numpy(np.ascontiguousarray(part, np.float32))
        return Shown(pixels.permute(2, 0, 1)[None].to(self.device), image.shape[0])

    @torch.inference_mode()
    def answer(
        self,
        seen: Sequence[Shown],
        told: Sequence[Told],  # noqa: ARG002 - the network cannot be told
    ) -> list[Hypotheses]:
        return [self._one(one) for one in seen]

    glance = answer

    def question(self, seen: Sequence[Shown], told: Sequence[Told]) -> Question:  # noqa: ARG002
        """One window as refinement asks about it."""
        (shown,) = seen
        height, width = shown.image.shape[-2:]
        image = owned(shown.image)

        def ask(maps: Tensor) -> tuple[Tensor, Tensor]:
            logits = self.net(image, maps[..., :height, :width])
            return in_window(logits, shown.side), torch.ones(1)

        maps = image.new_zeros(1, self.net.channels, shown.side, shown.side)
        return Question(self.net, maps, STEP, ask, scored)

    def _one(self, shown: Shown) -> Hypotheses:
        logits = self.net(shown.image, self.net.no_maps(shown.image))
        placed = in_window(logits, shown.side).numpy(force=True)
        return scored(Hypotheses(placed, np.ones(1, np.float32)))


def scored(answer: Hypotheses) -> Hypotheses:
    """See ``rated``; a network may be as sure as it likes."""
    with np.errstate(over="ignore"):
        return rated(answer)


def in_window(logits: Tensor, side: int) -> Tensor:
    """``(1, h, w)`` as the window's ``(1, side, side)``; nothing beyond the image."""
    height, width = logits.shape[-2:]
    extra = [0, side - width, 0, side - height]
    return torch.nn.functional.pad(logits, extra, value=NOTHING)
