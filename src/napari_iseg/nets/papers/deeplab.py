"""DeepLab-LargeFOV on VGG-16 up to conv7, for any number of input channels.

Chen, Papandreou, Kokkinos, Murphy and Yuille, *Semantic image segmentation with deep
convolutional nets and fully connected CRFs*, ICLR 2015; sizes as in the authors' model
of this name.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.framing import extended
from napari_iseg.nets.papers.vgg import VGG, fill, scaled, started, with_zeros

STRIDE = 8  # of conv5 to conv7: the last two poolings keep the size
STRIDES = (2, 2, 2, 1)  # of the poolings after conv1 to conv4
POOL = 3  # pixels; cells lie on every eighth pixel, from the first on
DILATIONS = (1, 1, 1, 1, 2)  # of VGG's stages
LARGE = 12  # dilation of conv6, which makes the field of view large
HIDDEN = 1024  # channels of conv6 and conv7
DROPOUT = 0.5
FC6_CELLS = 7  # a side, of VGG's first linear layer
KEPT_CELLS, KEPT_CHANNELS = 3, 4  # every so many-th of VGG's linear layers is taken


class LargeFOV(nn.Module):
    """VGG-16 with dilations, conv6 and conv7.

    Parameters
    ----------
    width, channels, normed
        As in ``VGG``.
    reach
        Dilation of conv6, in cells.
    dropout
        After conv6 and conv7.

    Attributes
    ----------
    outputs
        Channels of conv7.
    """

    def __init__(
        self,
        width: float = 1.0,
        channels: int = 3,
        *,
        normed: bool = False,
        reach: int = LARGE,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        self.outputs = scaled(HIDDEN, width)
        self.vgg = VGG(
            16, width=width, channels=channels, dilations=DILATIONS, normed=normed
        )
        deepest = self.vgg.widths[-1]
        self.conv6 = nn.Conv2d(deepest, self.outputs, 3, padding=reach, dilation=reach)
        self.conv7 = nn.Conv2d(self.outputs, self.outputs, 1)
        self.drop = nn.Dropout(dropout)
        for layer in (self.conv6, self.conv7):
            started(layer)

    def forward(self, shown: Tensor) -> Tensor:
        """``(B, channels, H, W)`` to ``(B, outputs, h, w)``, conv7 after its ReLU.

        ``h = ceil((H - 1) / 8) + 1``: cell i is about pixel 8 i, so the first lies on
        the first pixel and the last on the last one or beyond it.
        """
        features = extended(shown, STRIDE, rest=1)
        first, *others = self.vgg.parts()
        features = first(features)
        for stage, stride in zip(others, STRIDES, strict=True):
            features = stage(F.max_pool2d(features, POOL, stride, POOL // 2))
        features = F.max_pool2d(features, POOL, 1, POOL // 2)
        features = F.avg_pool2d(features, POOL, 1, POOL // 2)
        features = self.drop(F.relu(self.conv6(features)))
        return self.drop(F.relu(self.conv7(features)))

    def initialise(self, tensors: Mapping[str, Tensor]) -> None:
        """Begin with VGG-16's weights; further channels begin at zero.

        Linear layers are thinned out: every third cell, every fourth channel.
        """
        self.vgg.initialise(tensors, with_zeros)
        cells = tensors["classifier.0.weight"].unflatten(1, (-1, FC6_CELLS, FC6_CELLS))
        some = slice(None, None, KEPT_CHANNELS)
        place = slice(None, None, KEPT_CELLS)
        biases = (tensors[f"classifier.{n}.bias"][some] for n in (0, 3))
        fill(self.conv6, cells[some, :, place, place], next(biases))
        again = tensors["classifier.3.weight"][some, some]
        fill(self.conv7, again[:, :, None, None], next(biases))


def on_pixels(cells: Tensor, size: tuple[int, int]) -> Tensor:
    """``(B, C, h, w)`` at stride 8 as ``(B, C, *size)``, exact where cells lie."""
    whole = [STRIDE * (side - 1) + 1 for side in cells.shape[-2:]]
    enlarged = F.interpolate(cells, whole, mode="bilinear", align_corners=True)
    return enlarged[..., : size[0], : size[1]]


def gaussian(module: nn.Module) -> None:
    """Weights of a new layer: normal with deviation 0.01, zero biases."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0, 0.01)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)
