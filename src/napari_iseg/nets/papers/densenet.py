"""DenseNet-121's four dense blocks, for any number of input channels.

Huang, Liu, van der Maaten and Weinberger, *Densely connected convolutional networks*,
CVPR 2017, as torchvision builds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from torch import Tensor, nn
from torchvision.models import densenet

from napari_iseg.nets.papers.imagenet import imagenet_tensors
from napari_iseg.nets.papers.trunk_weights import load_trunk
from napari_iseg.nets.papers.vgg import scaled

GROWTH = 32  # channels that each layer adds
LAYERS = (6, 12, 24, 16)  # of each block: 121 with stem, transitions and classifier
STEM = 64  # channels of the first convolution


class DenseNet(nn.Module):
    """Everything but the last batch norm and the classifier.

    Parameters
    ----------
    width
        Factor on the number of channels.
    channels
        Of the input.

    Attributes
    ----------
    widths
        Channels of each block's output.
    """

    def __init__(self, width: float = 1.0, channels: int = 3) -> None:
        super().__init__()
        growth, stem = scaled(GROWTH, width), scaled(STEM, width)
        made = densenet.DenseNet(growth, LAYERS, stem, num_classes=1).features
        made.conv0 = nn.Conv2d(channels, stem, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(made.conv0.weight)  # as torchvision's
        del made.norm5
        self.features = made
        before = (stem + LAYERS[0] * growth, *LAYERS[1:])
        self.widths = tuple(accumulate(before, lambda c, n: c // 2 + n * growth))

    def forward(self, shown: Tensor) -> tuple[Tensor, ...]:
        """Each block's output: ``(B, widths[i], H / 2**(i+2), W / 2**(i+2))``.

        Sizes are rounded down after the stem.
        """
        answers = []
        for name, layer in self.features.named_children():
            shown = layer(shown)
            if name.startswith("denseblock"):
                answers.append(shown)
        return tuple(answers)

    def initialise(self) -> None:
        """Begin with torchvision's weights; further channels begin at zero.

        Raises
        ------
        ValueError
            If they cannot be had: says which file to put where.
        """
        first = "features.conv0.weight"
        load_trunk(self, densenet_tensors(), first, blind=True)


def densenet_tensors() -> Mapping[str, Tensor]:
    """Weights of torchvision's DenseNet-121 on ImageNet, by the names of its layers.

    Raises
    ------
    ValueError
        If they cannot be had: says which file to put where.
    """
    weights = densenet.DenseNet121_Weights.IMAGENET1K_V1
    return {today(name): one for name, one in imagenet_tensors(weights).items()}


def today(name: str) -> str:
    """A layer's name from its name in the file, which is older than torchvision.

    ``norm.1`` is ``norm1`` now: dots separate modules.
    """
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)
