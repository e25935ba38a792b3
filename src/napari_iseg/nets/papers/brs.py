"""BRS: a segmentation network, coarse then fine, made to be refined through its maps.

Jang and Kim, *Interactive image segmentation via backpropagating refinement scheme*,
CVPR 2019. The refinement is a step of its own; what it asks is ``BRS.probability``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from napari_iseg.click_maps import NearnessMaps
from napari_iseg.nets.papers.densenet import DenseNet
from napari_iseg.nets.papers.framing import extended
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.squeeze_excite import SqueezeExcite
from napari_iseg.nets.papers.trunk_weights import keep_statistics
from napari_iseg.nets.papers.vgg import (
    VGG,
    normalised,
    pooled,
    scaled,
    started,
    vgg_tensors,
    with_zeros,
)

LIMIT = 255.0  # pixels, of the distances (section 3.1)
CHANNELS = 3 + 2  # image and interaction maps
STRIDE = 32  # of the encoder's last block
# Of the decoding blocks, 1/32 to 1/4: kernels 3, 3, 1 (figure 2; the released model).
BLOCKS = ((512, 512, 256), (256, 256, 128), (128, 128, 64), (64, 64, 32))
KERNELS = (3, 3, 1)
FINEST = 4  # stride of the last of them
BRANCHES = (32, 32, 16)  # of each atrous branch, kernels as above
DILATIONS = (1, 2, 3)  # of each branch's first convolution
MIXED = 16  # channels before the fine prediction


class Answer(NamedTuple):
    """``logits`` of the fine decoder and ``coarse``, ``(B, 1, H, W)``.

    Without a fine decoder both are the same.
    """

    logits: Tensor
    coarse: Tensor


class VGGScales(nn.Module):
    """VGG-16 at the strides of DenseNet: conv3-3, conv4-3, conv5-3 and pool5."""

    def __init__(self, width: float = 1.0, channels: int = 3) -> None:
        super().__init__()
        self.vgg = VGG(16, width=width, channels=channels)
        self.widths = (*self.vgg.widths[2:], self.vgg.widths[-1])

    def forward(self, shown: Tensor) -> tuple[Tensor, ...]:
        *_, quarter, eighth, sixteenth = self.vgg(shown)
        return quarter, eighth, sixteenth, pooled(sixteenth)

    def initialise(self) -> None:
        """Begin with torchvision's weights; further channels begin at zero."""
        self.vgg.initialise(vgg_tensors(16), with_zeros)


class CoarseDecoder(nn.Module):
    """Four decoding blocks, each with the encoder's features of its scale."""

    def __init__(self, widths: tuple[int, ...], width: float) -> None:
        super().__init__()
        blocks = [tuple(scaled(one, width) for one in block) for block in BLOCKS]
        ends = [block[-1] for block in blocks]
        deepest, *skips = reversed(widths)
        self.excite = nn.ModuleList(SqueezeExcite(one) for one in reversed(widths))
        self.skips = nn.ModuleList(
            _layer(nn.Conv2d(*sizes, 1)) for sizes in zip(skips, ends, strict=False)
        )
        self.rise = nn.ModuleList(
            _layer(nn.ConvTranspose2d(one, one, 2, 2, bias=False)) for one in ends[:-1]
        )
        inputs = (deepest, *(2 * one for one in ends[:-1]))
        self.blocks = nn.ModuleList(
            _chain((first, *block)) for first, block in zip(inputs, blocks, strict=True)
        )
        self.predict = nn.Conv2d(ends[-1], 1, 1)
        self.apply(started)
        self.enlarge = nn.ConvTranspose2d(1, 1, FINEST, FINEST, bias=False)
        nn.init.ones_(self.enlarge.weight)  # repeats each cell; learns to do better

    def forward(self, scales: tuple[Tensor, ...]) -> Tensor:
        """Logits in full size from features at strides 4, 8, 16 and 32."""
        deepest, *others = (
            excite(one)
            for excite, one in zip(self.excite, reversed(scales), strict=True)
        )
        features = self.blocks[0](deepest)
        for number, other in enumerate(others):
            pair = self.rise[number](features), self.skips[number](other)
            features = self.blocks[number + 1](torch.cat(pair, 1))
        return self.enlarge(self.predict(features))


class FineDecoder(nn.Module):
    """Three atrous branches in full resolution, weighted and mixed."""

    def __init__(self, inputs: int, width: float) -> None:
        super().__init__()
        widths = [scaled(one, width) for one in BRANCHES]
        mixed = scaled(MIXED, width)
        self.branches = nn.ModuleList(
            _chain((inputs, *widths), dilation) for dilation in DILATIONS
        )
        joined = len(DILATIONS) * widths[-1]
        self.excite = SqueezeExcite(joined)
        self.mix = _layer(nn.Conv2d(joined, mixed, 3, padding=1, bias=False))
        self.predict = nn.Conv2d(mixed, 1, 1)
        self.apply(started)

    def forward(self, shown: Tensor) -> Tensor:
        joined = torch.cat([branch(shown) for branch in self.branches], 1)
        return self.predict(self.mix(self.excite(joined)))


class BRS(nn.Module):
    """Encoder, coarse decoder and, if it ``refines``, fine decoder.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    trunk
        The encoder: ``DenseNet`` (BRS-DenseNet) or ``VGGScales`` (BRS-VGG).
    refines
        Whether the fine decoder is there; it is added after 20 epochs (section 3.1).
    pretrained
        Begin with torchvision's weights of the encoder, whose batch norms then keep
        their statistics; the channels of the maps begin at zero.

    Raises
    ------
    ValueError
        If the pretrained weights cannot be had or do not fit the width.
    """

    encoder = NearnessMaps(LIMIT)

    def __init__(
        self,
        width: float = 1.0,
        *,
        trunk: type[DenseNet | VGGScales] = DenseNet,
        refines: bool = True,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if pretrained:
            whole(width)
        self.width, self.pretrained = width, pretrained
        self.trunk = trunk(width, CHANNELS)
        if pretrained:
            self.trunk.initialise()
        self.coarse = CoarseDecoder(self.trunk.widths, width)
        self.fine = FineDecoder(CHANNELS + 1, width) if refines else None

    def forward(self, image: Tensor, maps: Tensor) -> Answer:
        """See ``napari_iseg.nets.papers``; ``maps`` are 1 on a click, 0 far away."""
        height, width = image.shape[-2:]
        shown = torch.cat([normalised(image), maps], 1)
        scales = self.trunk(extended(shown, STRIDE))
        coarse = self.coarse(scales)[..., :height, :width]
        if self.fine is None:
            return Answer(coarse, coarse)
        return Answer(self.fine(torch.cat([shown, coarse.sigmoid()], 1)), coarse)

    def probability(self, image: Tensor, maps: Tensor) -> Tensor:
        """Y of eq. 4, ``(B, 1, H, W)`` in 0..1; differentiable in ``maps``."""
        return self(image, maps).logits.sigmoid()

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's
        """As any module; statistics that came with the weights are kept."""
        super().train(mode)
        if self.pretrained:
            keep_statistics(self.trunk)
        return self


def _layer(convolution: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    # Scale and offset of the norm are left out as in the released model.
    outputs = convolution.out_channels
    return nn.Sequential(
        convolution, nn.PReLU(outputs), nn.BatchNorm2d(outputs, affine=False)
    )


def _chain(widths: tuple[int, ...], dilation: int = 1) -> nn.Sequential:
    dilations = (dilation, 1, 1)
    return nn.Sequential(
        *(
            _layer(nn.Conv2d(*pair, k, padding=k // 2 * d, dilation=d, bias=False))
            for pair, k, d in zip(pairwise(widths), KERNELS, dilations, strict=True)
        )
    )
