"""Xception-65 as DeepLabV3+ has it, at output stride 16.

Chen, Zhu, Papandreou, Schroff and Adam, *Encoder-decoder with atrous separable
convolution for semantic image segmentation*, ECCV 2018, figure 4; details from the
authors' code. Layers are named as in the files with its weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.imagenet import imagenet_tensors
from napari_iseg.nets.papers.separable import Separable
from napari_iseg.nets.papers.trunk_weights import load_trunk
from napari_iseg.nets.papers.vgg import scaled, started

STEM = (32, 64)
ENTRY = ((128, 128, 128), (256, 256, 256), (728, 728, 728))  # the last one strides
MIDDLE = ((728, 728, 728),) * 16
EXIT = ((728, 1024, 1024), (1536, 1536, 2048))
EXIT_DILATIONS = (1, 2)  # the stride of the first became a dilation of what follows
TAP = 1  # the entry block whose second layer the decoder sees
EPSILON = 1e-3  # of the batch norms


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Where ``imagenet_tensors`` finds a file that is not torchvision's."""

    url: str


# torchvision has no Xception-65. These are the ImageNet weights that the authors of
# DeepLab published for TensorFlow, in torch's format (Apache-2.0).
IMAGENET = WeightsFile(
    "https://github.com/rwightman/pytorch-image-models/releases/download/"
    "v0.1-weights/tf_xception_65-c9ae96e8.pth"
)


class Block(nn.Module):
    """Three separable convolutions beside a shortcut.

    Parameters
    ----------
    widths
        Channels of the input and of the three convolutions.
    last
        The block at the end: no shortcut, and ReLUs after the layers, not before.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        *,
        stride: int = 1,
        dilation: int = 1,
        last: bool = False,
    ) -> None:
        super().__init__()
        self.last = last
        self.shortcut: nn.Module = nn.Identity()
        if not last and (stride > 1 or widths[0] != widths[-1]):
            self.shortcut = _normed(widths[0], widths[-1], 1, stride)
        self.stack = nn.ModuleDict(
            {
                f"conv{number}": Separable(
                    *pair,
                    stride=stride if number == 3 else 1,
                    dilation=dilation,
                    active=last,
                    epsilon=EPSILON,
                )
                for number, pair in enumerate(pairwise(widths), 1)
            }
        )

    def activations(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Of the second layer, and of the block."""
        shortcut = features
        answers = []
        for layer in self.stack.values():
            features = layer(features if self.last else F.relu(features))
            answers.append(features)
        if not self.last:
            features = features + self.shortcut(shortcut)
        return answers[1], features

    def forward(self, features: Tensor) -> Tensor:
        return self.activations(features)[1]


class Xception(nn.Module):
    """Entry, middle and exit flow.

    Parameters
    ----------
    width
        Factor on the number of channels.
    channels
        Of the input.

    Attributes
    ----------
    widths
        Channels at strides 4 and 16.
    """

    def __init__(self, width: float = 1.0, channels: int = 3) -> None:
        super().__init__()
        first, inputs = (scaled(one, width) for one in STEM)
        self.stem = nn.Sequential(
            _normed(channels, first, 3, 2), _normed(first, inputs, 3, 1)
        )
        self.blocks = nn.Sequential()
        for number, layers in enumerate((*ENTRY, *MIDDLE, *EXIT)):
            widths = (inputs, *(scaled(one, width) for one in layers))
            self.blocks.append(_block(number, widths))
            inputs = widths[-1]
        self.widths = (scaled(ENTRY[TAP][1], width), inputs)

    def prepared(self, image: Tensor) -> Tensor:
        """RGB in 0..1 as the weights expect it: -1..1."""
        return 2 * image - 1

    def forward(self, shown: Tensor) -> tuple[Tensor, Tensor]:
        """Features at strides 4 and 16.

        ``(B, widths[0], ceil(H / 4), ceil(W / 4))`` and
        ``(B, widths[1], ceil(H / 16), ceil(W / 16))``. Cells lie on the first pixel of
        every four or sixteen.
        """
        features = shown
        for layer in self.stem:
            features = F.relu(layer(features))
        seconds = []
        for block in self.parts():
            second, features = block.activations(features)
            seconds.append(second)
        return seconds[TAP], features

    def parts(self) -> list[Block]:
        """The blocks, first to last."""
        return [one for one in self.blocks if isinstance(one, Block)]

    def initialise(self) -> None:
        """Begin with ImageNet's weights; further channels stay random.

        Raises
        ------
        ValueError
            If they cannot be had: says which file to put where.
        """
        load_trunk(self, xception_tensors(), "stem.0.conv.weight", blind=False)


def xception_tensors() -> Mapping[str, Tensor]:
    """Weights of Xception-65 on ImageNet, classifier included.

    Raises
    ------
    ValueError
        If they cannot be had: says which file to put where.
    """
    return imagenet_tensors(IMAGENET)


def _block(number: int, widths: tuple[int, ...]) -> Block:
    if number < len(ENTRY):
        return Block(widths, stride=2)
    place = number - len(ENTRY) - len(MIDDLE)
    if place >= 0:
        return Block(widths, dilation=EXIT_DILATIONS[place], last=place == 1)
    block = Block(widths)
    last = block.stack["conv3"]
    assert isinstance(last, Separable)
    nn.init.zeros_(last.bn_pw.weight)  # begins as its shortcut: sixteen in a row
    return block


def _normed(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    layers = OrderedDict(
        conv=nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        bn=nn.BatchNorm2d(outputs, EPSILON),
    )
    return nn.Sequential(layers).apply(started)
