"""Sizes that strides divide: images are extended, answers cut back."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def extended(shown: Tensor, stride: int, rest: int = 0) -> Tensor:
    """``shown`` with zeros below and to the right, as few as possible.

    Height and width become multiples of ``stride`` plus ``rest``. With a rest of 0 each
    cell covers a whole square of pixels; with 1 the first and the last cell of a chain
    of odd kernels lie on the first and the last pixel.
    """
    height, width = shown.shape[-2:]
    return F.pad(shown, [0, (rest - width) % stride, 0, (rest - height) % stride])
