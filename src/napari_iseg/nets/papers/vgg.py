"""VGG's convolutions, stage by stage, for any number of input channels.

Simonyan and Zisserman, ICLR 2015, configurations D (16 layers) and E (19), without
batch norm. Four of the six papers build on it; what comes after differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.imagenet import imagenet_tensors

CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # of each stage, by depth
CHANNELS = (64, 128, 256, 512, 512)

# Of torchvision's weights, for RGB in 0..1.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
# The papers' networks saw grey levels of 0..255 less their mean; torchvision's see them
# divided by this as well. What goes beside the image is divided likewise.
GREY_LEVELS = 255 * sum(DEVIATION) / 3

FirstFilters = Callable[[Tensor, int], Tensor]


def scaled(channels: int, width: float) -> int:
    """``channels`` of the paper in a network ``width`` times as wide; at least one."""
    return max(1, round(channels * width))


class Stage(nn.Module):
    """Convolutions of 3x3 with ReLU that keep the size; no pooling.

    ``dilation`` is 1 in VGG; networks that skip a pooling dilate what comes after.
    ``normed``: with a batch norm after each convolution, which VGG had not.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        convolutions: int,
        dilation: int = 1,
        *,
        normed: bool = False,
    ) -> None:
        super().__init__()
        widths = [inputs] + [outputs] * (convolutions - 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(one, outputs, 3, padding=dilation, dilation=dilation)
            for one in widths
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(outputs) if normed else nn.Identity() for _ in widths
        )
        self.layers.apply(started)

    def activations(self, features: Tensor) -> Iterator[Tensor]:
        """After each convolution and its ReLU."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = F.relu(norm(layer(features)))
            yield features

    def forward(self, features: Tensor) -> Tensor:
        *_, last = self.activations(features)
        return last


class VGG(nn.Module):
    """The first ``stages`` stages of VGG-16 or VGG-19.

    Parameters
    ----------
    depth
        16 or 19.
    width
        Factor on the number of channels.
    channels
        Of the input.
    stages
        How many of the five.
    last
        How many convolutions of the last stage; None for all of them.
    dilations
        Of the convolutions of each stage.
    normed
        With batch norms: for narrow networks that begin at random.

    Attributes
    ----------
    widths
        Channels of each stage.
    """

    def __init__(
        self,
        depth: int = 16,
        *,
        width: float = 1.0,
        channels: int = 3,
        stages: int = 5,
        last: int | None = None,
        dilations: tuple[int, ...] = (1, 1, 1, 1, 1),
        normed: bool = False,
    ) -> None:
        super().__init__()
        self.widths = tuple(scaled(one, width) for one in CHANNELS[:stages])
        counts = list(CONVOLUTIONS[depth][:stages])
        counts[-1] = last or counts[-1]
        inputs = (channels, *self.widths)
        self.stages = nn.ModuleList(
            Stage(*sizes, normed=normed)
            for sizes in zip(inputs, self.widths, counts, dilations, strict=False)
        )

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """The last activation of each stage, before its pooling.

        ``(B, channels, H, W)`` to ``(B, widths[i], ceil(H / 2**i), ceil(W / 2**i))``.
        """
        answers = []
        for number, stage in enumerate(self.parts()):
            features = stage(pooled(features) if number else features)
            answers.append(features)
        return tuple(answers)

    def parts(self) -> list[Stage]:
        """The stages, first to last."""
        return [one for one in self.stages if isinstance(one, Stage)]

    def convolutions(self) -> list[nn.Conv2d]:
        """All of them, first to last."""
        return [one for one in self.modules() if isinstance(one, nn.Conv2d)]

    def initialise(
        self, tensors: Mapping[str, Tensor], first: FirstFilters | None = None
    ) -> None:
        """Copy the weights of torchvision's network of the same depth.

        Parameters
        ----------
        tensors
            By torchvision's names: ``features.0.weight`` and so on.
        first
            Turns the three-channel filters of conv1_1 into ours: ``with_zeros`` or
            ``mean_of_colours``; None where the input is an RGB image.
        """
        names = convolution_names(tensors)
        for number, layer in enumerate(self.convolutions()):
            filters = tensors[f"{names[number]}.weight"]
            if number == 0 and first is not None:
                filters = first(filters, layer.in_channels)
            fill(layer, filters, tensors[f"{names[number]}.bias"])


def pooled(features: Tensor) -> Tensor:
    """Maximum of 2x2 at stride 2; the last row and column of odd sizes are kept.

    So did Caffe, with which the papers' networks were trained.
    """
    return F.max_pool2d(features, 2, 2, ceil_mode=True)


def normalised(image: Tensor) -> Tensor:
    """RGB ``(B, 3, H, W)`` in 0..1 as torchvision's weights expect it."""
    mean, deviation = (image.new_tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
    return (image - mean) / deviation


def vgg_tensors(depth: int) -> Mapping[str, Tensor]:
    """Weights of torchvision's VGG-16 or VGG-19 on ImageNet, classifier included.

    Raises
    ------
    ValueError
        If they cannot be had: says which file to put where.
    """
    from torchvision.models import VGG16_Weights, VGG19_Weights

    tables = {16: VGG16_Weights, 19: VGG19_Weights}
    return imagenet_tensors(tables[depth].IMAGENET1K_V1)


def convolution_names(tensors: Mapping[str, Tensor]) -> list[str]:
    """``features.0``, ``features.2``, ... in the order of the layers."""
    names = [n.removesuffix(".weight") for n in tensors if n.endswith(".weight")]
    features = [name for name in names if name.startswith("features.")]
    return sorted(features, key=lambda name: int(name.rpartition(".")[2]))


def with_zeros(filters: Tensor, channels: int) -> Tensor:
    """Filters for more ``channels``: colours as they were, the rest zero."""
    more = filters.new_zeros(len(filters), channels - 3, *filters.shape[2:])
    return torch.cat([filters, more], 1)


def mean_of_colours(filters: Tensor, channels: int) -> Tensor:
    """Filters for other ``channels``: each sees what a colour saw in the mean."""
    return filters.mean(1, keepdim=True).repeat(1, channels, 1, 1)


@torch.no_grad()
def fill(layer: nn.Conv2d, filters: Tensor, biases: Tensor) -> None:
    """Copy weights into ``layer``.

    Raises
    ------
    ValueError
        If the shapes differ: broadcasting would fill a layer without a word.
    """
    if filters.shape != layer.weight.shape or layer.bias is None:
        raise ValueError(
            f"weights of shape {tuple(filters.shape)} do not fit a layer of shape "
            f"{tuple(layer.weight.shape)}; take those of the same network at width=1.0"
        )
    layer.weight.copy_(filters)
    layer.bias.copy_(biases)


def started(module: nn.Module) -> None:
    """Random weights for a convolution before a ReLU (He et al.), zero biases."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
