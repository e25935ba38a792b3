"""What a network wants its image to be like."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from napari_iseg.arrays import Grid
from napari_iseg.intensities import Intensities, Percentiles

GREY = (0.299, 0.587, 0.114)  # of red, green and blue in grey, ITU-R BT.601


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """How an image becomes the input of a network.

    Attributes
    ----------
    mean, std
        Of each channel or of all, for values in 0..1: the network reads
        ``(value - mean) / std``.
    multiple
        Of which the sides of its input have to be; missing pixels are mirrored.
    size
        Height and width, for a network that takes nothing else.
    channels
        1 or 3. None: what the network takes. A colour image is shown to a network
        that reads grey as ITU-R BT.601 weighs colours, a grey one to a network that
        reads colours three times.
    intensities
        What becomes 0 and 1, for images that come without a ``ScaledImage``: nearly
        the darkest and the brightest of the plane. ``DtypeRange()`` for a network that
        was trained on grey values over 255.
    """

    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 1.0
    multiple: int = 32
    size: Grid | None = None
    channels: int | None = None
    intensities: Intensities = field(default_factory=Percentiles)

    def __post_init__(self) -> None:
        if self.channels not in (None, 1, 3):
            raise ValueError(
                f"a network reads 1 or 3 channels here, not {self.channels}; wrap it "
                "in a module that makes what it needs of 1 or 3"
            )
        if self.multiple < 1:
            raise ValueError(f"multiple must be 1 or more, got {self.multiple}")
        if not (torch.tensor(self.std) > 0).all():
            raise ValueError(f"std must be above 0, got {self.std}")

    def shown(self, image: Tensor, channels: int) -> Tensor:
        """``(1, 3, H, W)`` in 0..1 to ``(1, channels, H, W)`` as the network reads it.

        Raises
        ------
        ValueError
            If there is a mean or std for another number of channels.
        """
        values = image if channels == 3 else grey(image)
        mean, std = (self.column(name, values) for name in ("mean", "std"))
        return (values - mean) / std

    def column(self, name: str, like: Tensor) -> Tensor:
        given: float | tuple[float, ...] = getattr(self, name)
        numbers = torch.tensor(given, dtype=like.dtype, device=like.device).reshape(-1)
        if len(numbers) not in (1, like.shape[1]):
            raise ValueError(
                f"{name} has {len(numbers)} numbers for a network that reads "
                f"{like.shape[1]} channels"
            )
        return numbers[:, None, None]


def grey(image: Tensor) -> Tensor:
    """``(1, 3, H, W)`` to ``(1, 1, H, W)``; equal channels stay what they are."""
    red, green, blue = image.split(1, 1)
    return red + GREY[1] * (green - red) + GREY[2] * (blue - red)
