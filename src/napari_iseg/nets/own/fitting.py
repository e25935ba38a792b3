"""Sizes that a network takes: images are extended by their mirror, answers cut back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_iseg.arrays import Grid

TRIED = (64, 128, 256, 512)  # pixels a side, until a network takes one
# What networks raise when a size, or a number of channels, does not suit them.
REFUSALS = (RuntimeError, ValueError, AssertionError, IndexError, TypeError)
MISFIT = (
    "neither as many, nor a border less, nor a fixed share; wrap it in a module whose "
    "answer has the size of its image"
)

Sizes: TypeAlias = Callable[[Grid], Grid]  # of the output, for one of the input


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Which sizes a network takes, and which its answers have.

    Attributes
    ----------
    multiple, rest
        A side has to be a multiple, plus the rest.
    border
        Rows at each side for which the network gives no answer (Ronneberger's U-Net).
    size
        The only height and width it takes; None: what the others allow.
    """

    multiple: int = 1
    rest: int = 0
    border: int = 0
    size: Grid | None = None

    def side(self, length: int, axis: int) -> int:
        """Of the input that answers for ``length`` rows (axis 0) or columns (1).

        Raises
        ------
        ValueError
            If the network cannot read so many.
        """
        needed = length + 2 * self.border
        if self.size is None:
            return needed + (self.rest - needed) % self.multiple
        if needed > self.size[axis]:
            raise ValueError(
                f"the network reads {self.size[0]} x {self.size[1]} pixels only, "
                f"{length} are too many; show it smaller windows"
            )
        return self.size[axis]

    def extended(self, image: Tensor) -> Tensor:
        """``(1, C, H, W)`` as large as it has to be; beyond its edges its mirror."""
        for axis in (0, 1):
            length = image.shape[2 + axis]
            side = self.side(length, axis)
            if side != length:
                places = mirror(length, side, self.border).to(image.device)
                image = image.index_select(2 + axis, places)
        return image

    def widened(self, maps: Tensor) -> Tensor:
        """Maps of the image's size, with zeros where the image is extended."""
        height, width = maps.shape[-2:]
        below = self.side(height, 0) - height - self.border
        right = self.side(width, 1) - width - self.border
        if not (below or right or self.border):
            return maps
        return F.pad(maps, [self.border, right, self.border, below])

    def cut(self, made: Tensor, grid: Grid) -> Tensor:
        """The part of an answer that is about the image, in its pixels."""
        sides = [self.side(length, axis) for axis, length in enumerate(grid)]
        answered = [side - 2 * self.border for side in sides]
        if list(made.shape[-2:]) != answered:  # coarser, or finer
            made = F.interpolate(made, answered, mode="bilinear", align_corners=False)
        return made[..., : grid[0], : grid[1]]


def mirror(length: int, side: int, before: int) -> Tensor:
    """Which of ``length`` rows each of ``side`` rows is; the first lies ``before``."""
    period = max(1, 2 * (length - 1))
    places = (torch.arange(side) - before).remainder(period)
    return torch.minimum(places, period - places) % length


def fit_of(sizes: Sizes, multiple: int, size: Grid | None) -> Fit:
    """Ask a network for answers of several sizes, and learn from theirs.

    Raises
    ------
    ValueError
        If it takes none of them, or its answers are not about the whole image.
    """
    if size is not None:
        return of_one_size(size, sizes(size))
    start, rest = taken(sizes, multiple)
    pair = [start, start + 2 * multiple]
    answers = [sizes((side, side))[0] for side in pair]
    lost = [side - answer for side, answer in zip(pair, answers, strict=True)]
    if lost == [0, 0]:
        return Fit(multiple=multiple, rest=rest)
    if lost[0] == lost[1] and lost[0] > 0:
        return without_border(sizes, multiple, pair[1])
    shares = [answer / side for side, answer in zip(pair, answers, strict=True)]
    if abs(shares[0] - shares[1]) * pair[0] <= 1:
        return Fit(multiple=multiple, rest=rest)
    raise ValueError(
        f"the network answers {pair[0]} pixels a side with {answers[0]}, {pair[1]} "
        f"with {answers[1]}: {MISFIT}"
    )


def taken(sizes: Sizes, multiple: int) -> tuple[int, int]:
    """A side that the network takes, and its rest."""
    first: Exception | None = None
    starts = [-(-one // multiple) * multiple for one in TRIED]
    sides = [(one, 0) for one in starts]
    sides += [(starts[2] + rest, rest) for rest in range(1, multiple)]
    for side, rest in sides:
        try:
            sizes((side, side))
        except REFUSALS as refusal:
            first = first or refusal
        else:
            return side, rest
    assert first is not None
    raise first


def without_border(sizes: Sizes, multiple: int, side: int) -> Fit:
    """For convolutions without padding: where poolings fit, the border is thinnest."""
    losses = {}
    for one in range(side, side + multiple):
        try:
            losses[one] = one - sizes((one, one))[0]
        except REFUSALS:  # this one does not fit, others do
            continue
    best = min(losses, key=losses.__getitem__)
    return Fit(multiple=multiple, rest=best % multiple, border=losses[best] // 2)


def of_one_size(size: Grid, answer: Grid) -> Fit:
    """What one answer tells; errors as in ``fit_of``."""
    lost = [have - got for have, got in zip(size, answer, strict=True)]
    is_share = answer[0] * size[1] == answer[1] * size[0]
    if lost == [0, 0] or (is_share and size[0] % answer[0] == 0):
        return Fit(size=size)
    if lost[0] == lost[1] and lost[0] > 0 and lost[0] % 2 == 0:
        return Fit(size=size, border=lost[0] // 2)
    raise ValueError(
        f"the network answers {size[0]} x {size[1]} pixels with {answer[0]} x "
        f"{answer[1]}: {MISFIT}"
    )
