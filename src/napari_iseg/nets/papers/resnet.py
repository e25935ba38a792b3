"""ResNet-50 and ResNet-101 at output stride 16, for any number of input channels.

He, Zhang, Ren and Sun, CVPR 2016, of torchvision's blocks and with its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models import resnet

from napari_iseg.nets.papers.imagenet import imagenet_tensors
from napari_iseg.nets.papers.trunk_weights import load_trunk
from napari_iseg.nets.papers.vgg import normalised, scaled, started

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}  # of each stage, by depth
STEM = 64
INNER = (64, 128, 256, 512)  # channels of the 3x3 convolutions of each stage
STRIDES = (1, 2, 2, 1)  # the last stage dilates instead
DILATIONS = (1, 1, 1, 2)


class ResNet(nn.Module):
    """Stem and four stages.

    Parameters
    ----------
    width
        Factor on the number of channels.
    channels
        Of the input.
    depth
        50 or 101.

    Attributes
    ----------
    widths
        Channels at strides 4 and 16.

    Raises
    ------
    ValueError
        If there is no such depth.
    """

    def __init__(
        self, width: float = 1.0, channels: int = 3, *, depth: int = 50
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f"a ResNet here has 50 or 101 layers, not {depth}")
        self.depth = depth
        stem = scaled(STEM, width)
        inner = [scaled(one, width) for one in INNER]
        outputs = [resnet.Bottleneck.expansion * one for one in inner]
        self.conv1 = nn.Conv2d(channels, stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = pairwise((stem, *outputs))
        for number, ((one, _), count) in enumerate(
            zip(inputs, BLOCKS[depth], strict=True)
        ):
            stage = _stage(one, inner[number], count, number)
            self.add_module(f"layer{number + 1}", stage)
        self.widths = (outputs[0], outputs[-1])
        self.apply(started)
        _begin_as_shortcuts(self)

    def prepared(self, image: Tensor) -> Tensor:
        """RGB in 0..1 as torchvision's weights expect it."""
        return normalised(image)

    def forward(self, shown: Tensor) -> tuple[Tensor, Tensor]:
        """Features at strides 4 and 16, as of ``Xception``."""
        stem = self.maxpool(self.relu(self.bn1(self.conv1(shown))))
        fine = self.get_submodule("layer1")(stem)
        features = fine
        for number in (2, 3, 4):
            features = self.get_submodule(f"layer{number}")(features)
        return fine, features

    def initialise(self) -> None:
        """Begin with torchvision's weights; further channels stay random.

        Raises
        ------
        ValueError
            If they cannot be had: says which file to put where.
        """
        load_trunk(self, resnet_tensors(self.depth), "conv1.weight", blind=False)


def resnet_tensors(depth: int) -> Mapping[str, Tensor]:
    """Weights of torchvision's ResNet on ImageNet, classifier included.

    Raises
    ------
    ValueError
        If they cannot be had: says which file to put where.
    """
    tables = {50: resnet.ResNet50_Weights, 101: resnet.ResNet101_Weights}
    return imagenet_tensors(tables[depth].IMAGENET1K_V1)


def _stage(inputs: int, inner: int, count: int, number: int) -> nn.Sequential:
    outputs = resnet.Bottleneck.expansion * inner
    stride, dilation = STRIDES[number], DILATIONS[number]
    shortcut = nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
    )
    first = resnet.Bottleneck(inputs, inner, stride, shortcut)
    more = (
        resnet.Bottleneck(outputs, inner, dilation=dilation) for _ in range(count - 1)
    )
    return nn.Sequential(first, *more)


def _begin_as_shortcuts(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, resnet.Bottleneck) and module.downsample is None:
            nn.init.zeros_(module.bn3.weight)
