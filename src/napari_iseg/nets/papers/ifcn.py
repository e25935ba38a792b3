"""iFCN, the network of DOS: an FCN that sees the clicks beside the colours.

Xu, Price, Cohen, Yang and Huang, *Deep interactive object selection*, CVPR 2016. Its
answer was polished by graph cut; that is a step of its own, after any method.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from napari_iseg.click_maps import DistanceMaps
from napari_iseg.nets.papers.fcn import (
    DROPOUT,
    FCNHead,
    framed,
    object_logit,
    pools_of,
)
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.vgg import (
    GREY_LEVELS,
    VGG,
    normalised,
    vgg_tensors,
    with_zeros,
)

DEPTH = 16  # layers of VGG
CHANNELS = 5  # red, green, blue, positive and negative distances
TRUNCATION = 255.0  # pixels, of the distances (section 3.1)


class Answer(NamedTuple):
    """``logits`` ``(B, 1, H, W)`` of the object."""

    logits: Tensor


class IFCN(nn.Module):
    """FCN-32s, FCN-16s or FCN-8s on VGG-16 with five input channels.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    stride
        32, 16 or 8; the paper trains them in this order and uses 8.
    padded
        100 pixels of frame, as FCN has. Without it every layer keeps the size: the same
        weights, a sixth of the pixels for windows of 128.
    normed
        With batch norms, which VGG had not: for narrow networks from random weights.
    dropout
        In training, after fc6 and fc7.
    pretrained
        Begin with torchvision's VGG-16; the two extra channels begin at zero.

    Raises
    ------
    ValueError
        If there is no such stride, or the pretrained weights cannot be had or do not
        fit the width.
    """

    encoder = DistanceMaps(TRUNCATION)

    def __init__(
        self,
        width: float = 1.0,
        *,
        stride: int = 8,
        padded: bool = True,
        normed: bool = False,
        dropout: float = DROPOUT,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if pretrained:
            whole(width)
            tensors = vgg_tensors(DEPTH)  # before 134 million parameters are made
        self.width, self.padded = width, padded
        self.trunk = VGG(DEPTH, width=width, channels=CHANNELS, normed=normed)
        pools = self.trunk.widths
        self.head = FCNHead(
            (pools[2], pools[3], pools[4]),
            width=width,
            stride=stride,
            padded=padded,
            dropout=dropout,
        )
        if pretrained:
            self.trunk.initialise(tensors, with_zeros)
            self.head.initialise(tensors)

    def forward(self, image: Tensor, maps: Tensor) -> Answer:
        """See ``napari_iseg.nets.papers``."""
        shown = torch.cat([normalised(image), maps / GREY_LEVELS], 1)
        activations = self.trunk(framed(shown) if self.padded else shown)
        height, width = image.shape[-2:]
        scores = self.head(pools_of(activations), (height, width))
        return Answer(object_logit(scores))
