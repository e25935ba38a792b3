"""A step's batch in parts: less memory, or one part a process, and the same step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from training.crew import Crew

T = TypeVar("T")


def parts_of(samples: Sequence[T], number: int) -> list[Sequence[T]]:
    """``number`` equal parts, in order; ValueError if they cannot be equal."""
    size, left = divmod(len(samples), number)
    if left or not size:
        raise ValueError(
            f"{len(samples)} samples cannot be shared out in accumulate={number} equal "
            "parts; set batch to a multiple of accumulate times the processes"
        )
    return [samples[at : at + size] for at in range(0, len(samples), size)]


class NormStatistics:
    """What batch norms remember: every part of a step starts from the same.

    At the end of the step it is the mean over all parts of all processes, so that it
    does not matter who did which part.
    """

    def __init__(self, net: nn.Module) -> None:
        self.buffers = list(net.buffers())
        self.before = [buffer.clone() for buffer in self.buffers]
        self.after: list[list[Tensor]] = []

    @torch.no_grad()
    def part_done(self) -> None:
        """Keep what a part made of them, and go back to what was before."""
        self.after.append([buffer.clone() for buffer in self.buffers])
        for buffer, old in zip(self.buffers, self.before, strict=True):
            buffer.copy_(old)

    @torch.no_grad()
    def step_done(self, crew: Crew) -> None:
        """Set them to the mean; what counts batches is the same in every part."""
        for buffer, *parts in zip(self.buffers, *self.after, strict=True):
            is_count = not buffer.is_floating_point()
            buffer.copy_(parts[0] if is_count else torch.stack(parts).mean(0))
        crew.average([b for b in self.buffers if b.is_floating_point()])


@contextmanager
def added_up(net: nn.Module) -> Iterator[None]:
    """The block's gradients are summed first, then added to those there were.

    So parts add up in the order in which processes' gradients do.
    """
    before = [p.grad for p in net.parameters()]
    net.zero_grad(set_to_none=True)
    yield
    for parameter, old in zip(net.parameters(), before, strict=True):
        if old is not None and parameter.grad is not None:
            parameter.grad += old
