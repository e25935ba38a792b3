"""The steps themselves: a network that moves a little towards the user's objects.

There is nothing to rehearse the old data with. What keeps the network from forgetting
them: few steps, a small learning rate, batch norms that keep their statistics, weights
that are drawn back to the old ones (L2-SP: Li, Grandvalet and Davoine, ICML 2018), and
an average over the steps instead of the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_iseg.click_maps import disc_map
from napari_iseg.clicks import Clicks
from napari_iseg.nets.cells_net import Answer, CellsNet
from napari_iseg.nets.window_model import CellsModel, net_from
from napari_iseg.refine.cells import available
from napari_iseg.refine.windowed import Policy, Windowed
from napari_iseg.teaching.lesson import Lesson
from napari_iseg.teaching.views import View, Views, start_clicks
from napari_iseg.widest_error import next_click

Tensors = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is taught, and how carefully.

    Attributes
    ----------
    steps, batch
        Batches, and windows in each.
    rate
        Of learning (Adam), falling to 0 along a cosine after ``warm_up`` steps.
    drawn_back
        Share of the way back to the old weights, every step.
    averaged
        Share of the average that a step keeps.
    clicks
        At most so many rounds of a robot's clicks before a window is learnt from.
    best
        Share of the best hypothesis in the loss; the rest goes to all alike.
    """

    steps: int = 160
    batch: int = 8
    rate: float = 2e-4
    warm_up: int = 10
    drawn_back: float = 0.002
    averaged: float = 0.97
    clicks: int = 3
    best: float = 0.7
    seed: int = 0

    def rate_at(self, step: int) -> float:
        rising = min(1.0, (step + 1) / self.warm_up)
        return self.rate * rising * 0.5 * (1 + float(np.cos(np.pi * step / self.steps)))


def learnt(
    tensors: Tensors,
    lesson: Lesson,
    pace: Pace,
    device: str,
    tell: Callable[[int], None],
) -> Tensors:
    """Other tensors, of the same names, shapes and types. ``tell`` hears every step."""
    place = available(device)
    net = net_from(tensors).eval().to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    old = [parameter.detach().clone() for parameter in net.parameters()]
    average = deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=pace.rate)
    rng = np.random.default_rng((pace.seed, 2))
    views = Views(lesson, pace.batch, pace.seed)
    for step, batch in enumerate(views.batches(pace.steps)):
        optimizer.param_groups[0]["lr"] = pace.rate_at(step)
        optimizer.zero_grad(set_to_none=True)
        Desk(net, batch, place).loss(pace, rng).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        settle(net, old, average, pace)
        tell(step + 1)
    return like(tensors, average)


@torch.no_grad()
def settle(net: CellsNet, old: list[Tensor], average: CellsNet, pace: Pace) -> None:
    """Draw the weights back to the old ones, then take them into the average."""
    for new, was, mean in zip(net.parameters(), old, average.parameters(), strict=True):
        new.lerp_(was, pace.drawn_back)
        mean.lerp_(new, 1 - pace.averaged)


def like(tensors: Tensors, net: CellsNet) -> Tensors:
    """The network's weights under the names and in the types of ``tensors``."""
    state = net.state_dict()
    return {
        name: state[name].cpu().contiguous().numpy().astype(old.dtype)
        for name, old in tensors.items()
    }


def segmenter_of(tensors: Tensors, device: str) -> Windowed:
    """The inference that ships, with these weights."""
    return Windowed(CellsModel(net_from(tensors), available(device)), Policy())


class Desk:
    """A batch of windows, and the clicks that a robot made on them."""

    def __init__(self, net: CellsNet, batch: Sequence[View], place: str) -> None:
        self.net, self.batch = net, batch
        self.clicks = [start_clicks(one) for one in batch]
        side = batch[0].truth.shape[0]
        self.is_first_look = side == Policy().overview_side
        self.previous = np.zeros((len(batch), side, side), np.float32)
        self.image = self.tensor([one.image for one in batch], place).permute(
            0, 3, 1, 2
        )
        self.truth = self.tensor([one.truth for one in batch], place)[:, None]
        self.counted = self.tensor([one.counted for one in batch], place)[:, None]
        self.outside = self.tensor([one.outside for one in batch], place)
        self.place = place

    @staticmethod
    def tensor(parts: Sequence[object], place: str) -> Tensor:
        return torch.from_numpy(np.asarray(parts, np.float32)).to(place)

    def loss(self, pace: Pace, rng: np.random.Generator) -> Tensor:
        """After none to some rounds of clicks, what the next answer costs."""
        rounds = 0 if self.is_first_look else int(rng.integers(pace.clicks + 1))
        for at in range(rounds):
            self.look(is_clicking=at > 0 or rng.random() < 0.5)
        answer = self.net(self.image, self.guides())
        return cost_of(answer, self.truth, self.counted, self.outside, pace.best)

    @torch.no_grad()
    def look(self, *, is_clicking: bool) -> None:
        """One answer without learning; then the robot clicks where it is wrong."""
        answer = self.net(self.image, self.guides())
        best = answer.scores.argmax(1)[:, None, None, None]
        logits = answer.logits.take_along_dim(best, 1)[:, 0]
        self.previous = logits.sigmoid().cpu().numpy()
        if not is_clicking:
            return
        for at, one in enumerate(self.batch):
            click = next_click(
                one.truth, self.previous[at] > 0.5, self.clicks[at], ~one.counted
            )
            if click is not None:
                self.clicks[at] = self.clicks[at].adding(click)

    def guides(self) -> Tensor:
        """Discs, previous answer and other objects as inference shows them."""
        return self.tensor(
            [
                (*discs(clicks, one.truth.shape[0]), previous, one.others)
                for clicks, previous, one in zip(
                    self.clicks, self.previous, self.batch, strict=True
                )
            ],
            self.place,
        )


def discs(clicks: Clicks, side: int) -> list[NDArray[np.float32]]:
    """Positive and negative clicks as maps."""
    radius = Policy().disc_radius
    kinds = (clicks.positive, clicks.negative)
    return [
        disc_map([(float(c.row), float(c.column)) for c in kind], (side, side), radius)
        for kind in kinds
    ]


def cost_of(
    answer: Answer, truth: Tensor, counted: Tensor, outside: Tensor, best: float
) -> Tensor:
    """By pixel in relation to the object's size, as a region, and the score's own."""
    total = mask_cost(answer.logits, truth, counted)
    total = total + 0.3 * mask_cost(answer.coarse, truth, counted)
    mixed = best * total.min(1).values + (1 - best) * total.mean(1)
    with torch.no_grad():
        predicted, wanted = (answer.logits > 0) * counted, truth * counted
        both = (predicted * wanted).sum((2, 3))
        either = predicted.sum((2, 3)) + wanted.sum((2, 3)) - both + outside[:, None]
        reached = both / either.clamp(min=1)
    score = F.binary_cross_entropy_with_logits(answer.scores, reached)
    return mixed.mean() + 0.3 * score


def mask_cost(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Cross-entropy plus 1 - soft intersection over union: ``(B, M)``."""
    cross = F.binary_cross_entropy_with_logits(
        logits, truth.expand_as(logits), reduction="none"
    )
    wanted = truth * counted
    size = 3 * wanted.sum((2, 3)) + 0.05 * truth.shape[-1] * truth.shape[-2]
    found = logits.sigmoid() * counted
    both = (found * wanted).sum((2, 3))
    either = (found + wanted).sum((2, 3)) - both
    return (cross * counted).sum((2, 3)) / size + 1 - (both + 1) / (either + 1)
