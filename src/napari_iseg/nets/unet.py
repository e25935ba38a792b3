"""U-Net: what a pixel belongs to, from far context and near detail at once.

Ronneberger, Fischer and Brox, *U-Net: convolutional networks for biomedical image
segmentation*, MICCAI 2015. It knows nothing of clicks; BRS converts it (section 3.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.vgg import scaled, started

# Of three classes, in their order: a border is a cell's pixel close to another cell.
CELL_CLASSES = ("background", "cell", "border")
CHANNELS = (64, 128, 256, 512, 1024)  # of each level, down to the narrowest
DROPOUT = 0.5  # at the end of the contracting path: its last two levels
STRIDE = 2 ** (len(CHANNELS) - 1)
LOST = 184  # rows that convolutions without padding take, all in all
SMALLEST = LOST + 4  # rows that leave one pixel in the narrowest level


class Level(nn.Sequential):
    """Two convolutions of 3x3, each with a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, *, padded: bool, normed: bool
    ) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers.append(
                nn.Conv2d(channels, outputs, 3, padding=int(padded), bias=not normed)
            )
            layers += [nn.BatchNorm2d(outputs)] if normed else []
            layers.append(nn.ReLU())
        super().__init__(*layers)


class UNet(nn.Module):
    """Logits of each class for each pixel.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    padded
        Whether convolutions keep the size, so that images of any size give answers of
        their size. Without it, as published, ``LOST`` rows and columns are lost, and
        only some sizes fit; see ``SameSize``.
    classes
        The paper has two, background and cell; three are ``CELL_CLASSES``.
    channels
        Of the image: grey.
    normed
        Batch norm after each convolution, which the paper had not: a narrow network
        learns in an hour what takes it a day without.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        padded: bool = False,
        classes: int = 3,
        channels: int = 1,
        normed: bool = False,
    ) -> None:
        super().__init__()
        self.padded, self.channels = padded, channels
        widths = [scaled(one, width) for one in CHANNELS]
        inputs = [channels, *widths]

        def level(inputs: int, outputs: int) -> Level:
            return Level(inputs, outputs, padded=padded, normed=normed)

        self.down = nn.ModuleList(map(level, inputs, widths))
        coarser, finer = widths[:0:-1], widths[-2::-1]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(one, other, 2, stride=2)
            for one, other in zip(coarser, finer, strict=True)
        )
        self.merge = nn.ModuleList(level(2 * one, one) for one in finer)
        self.drop = nn.Dropout(DROPOUT)
        self.score = nn.Conv2d(widths[0], classes, 1)
        self.apply(started)

    def forward(self, image: Tensor) -> Tensor:
        """Logits ``(B, classes, h, w)`` of an image ``(B, channels, H, W)`` in 0..1.

        ``h`` and ``w`` are ``H`` and ``W`` if ``padded``, else ``LOST`` less.

        Raises
        ------
        ValueError
            If convolutions without padding do not fit the size.
        """
        if self.padded:
            height, width = image.shape[-2:]
            return self.scores(extended(image))[..., :height, :width]
        check_size(image)
        return self.scores(image)

    def scores(self, features: Tensor) -> Tensor:
        kept = []
        for number, level in enumerate(self.down):
            features = level(F.max_pool2d(features, 2) if number else features)
            if number >= len(self.down) - 2:
                features = self.drop(features)
            kept.append(features)
        for up, merge, fine in zip(self.up, self.merge, kept[-2::-1], strict=True):
            coarse = up(features)
            features = merge(torch.cat([middle_of(fine, coarse), coarse], 1))
        return self.score(features)


class SameSize(nn.Module):
    """A U-Net without padding, asked so that its answer covers the image.

    The overlap-tile strategy: beyond its border the image goes on as its mirror image.
    """

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """``(B, channels, H, W)`` of any size to ``(B, classes, H, W)``."""
        height, width = image.shape[-2:]
        if self.net.padded:
            return self.net(image)
        return self.net(mirrored(image))[..., :height, :width]


def fitting(length: int) -> int:
    """How many rows a U-Net without padding needs to answer for at least ``length``."""
    needed = max(length + LOST, SMALLEST)
    return needed + (SMALLEST - needed) % STRIDE


def mirrored(image: Tensor) -> Tensor:
    """``image`` with its mirror image around it, so that an answer covers it."""
    for axis in (-2, -1):
        length = image.shape[axis]
        places = torch.arange(fitting(length), device=image.device) - LOST // 2
        period = max(1, 2 * (length - 1))
        away = places.remainder(period)
        image = image.index_select(axis, torch.minimum(away, period - away) % length)
    return image


def extended(image: Tensor) -> Tensor:
    """``image`` to multiples of ``STRIDE``; its last row and column are repeated."""
    height, width = image.shape[-2:]
    return F.pad(image, [0, -width % STRIDE, 0, -height % STRIDE], mode="replicate")


def middle_of(fine: Tensor, coarse: Tensor) -> Tensor:
    """The middle of ``fine`` that ``coarse`` covers (copy and crop)."""
    rows, columns = (
        slice((have - need) // 2, (have - need) // 2 + need)
        for have, need in zip(fine.shape[-2:], coarse.shape[-2:], strict=True)
    )
    return fine[..., rows, columns]


def check_size(image: Tensor) -> None:
    """Refuse images whose poolings would lose a row or a column."""
    grid = tuple(image.shape[-2:])
    if any(side < SMALLEST or (side - SMALLEST) % STRIDE for side in grid):
        fits = tuple(fitting(max(1, side - LOST)) for side in grid)
        raise ValueError(
            f"a U-Net without padding cannot take {grid[0]} x {grid[1]} pixels; give "
            f"it {fits[0]} x {fits[1]}, or wrap it in SameSize"
        )
