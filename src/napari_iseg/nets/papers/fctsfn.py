"""FCTSFN: image and clicks in streams of their own, fused late, refined in full size.

Hu, Soltoggio, Lock and Carter, *A fully convolutional two-stream fusion network for
interactive image segmentation*, Neural Networks 2019. Its answer may be polished by
graph cut (section 3.4); that is a step of its own, after any method.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from napari_iseg.click_maps import DistanceMaps
from napari_iseg.nets.papers.bilinear import enlarged
from napari_iseg.nets.papers.fcn import (
    CLASSES,
    PADDING,
    FCNHead,
    framed,
    object_logit,
    pools_of,
)
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.vgg import (
    CONVOLUTIONS,
    GREY_LEVELS,
    VGG,
    Stage,
    convolution_names,
    fill,
    mean_of_colours,
    normalised,
    pooled,
    scaled,
    started,
    vgg_tensors,
)

TRUNCATION = 255.0  # pixels, of the distances (eq. 1)
MAP_MEANS = (166.906, 147.477)  # of the maps in the authors' training set; their code
DEPTH = 16  # layers of VGG
STREAMS = 4  # stages of VGG in each stream: TSLFN_4 (section 4.2)
STAGES = 5  # of VGG
BOTTLENECK = 60  # channels that each scale is reduced to (section 3.2)
KERNELS = (7, 5, 3, 3, 3)  # of the refining layers (section 3.2)
REFINED = 64  # channels of each of them
DROPOUT = 0.5  # after each of them (section 3.3)


class ImageFeatures(NamedTuple):
    """The image stream: computed once, kept while clicks change."""

    size: tuple[int, int]  # of the image
    activations: tuple[Tensor, ...]  # of each stage, before its pooling


class Answer(NamedTuple):
    """``logits`` refined and ``coarse`` from the two-stream network, ``(B, 1, H, W)``.

    Without a refining network both are the same.
    """

    logits: Tensor
    coarse: Tensor


class TwoStreams(nn.Module):
    """TSLFN: two streams of VGG's first stages; the rest of VGG sees both at once."""

    def __init__(
        self, width: float, streams: int, stride: int, *, padded: bool, normed: bool
    ) -> None:
        super().__init__()
        self.padded = padded
        self.image = VGG(DEPTH, width=width, stages=streams, normed=normed)
        self.clicks = VGG(DEPTH, width=width, stages=streams, channels=2, normed=normed)
        alone = VGG(DEPTH, width=width).widths
        both = tuple(2 * one for one in self.image.widths)
        self.widths = both + alone[streams:]  # of each stage's features
        joined = pairwise(self.widths[streams - 1 :])
        counts = CONVOLUTIONS[DEPTH][streams:]
        self.fusion = nn.ModuleList(
            Stage(*sizes, count, normed=normed)
            for sizes, count in zip(joined, counts, strict=True)
        )
        self.head = FCNHead(
            (self.widths[2], self.widths[3], self.widths[4]),
            width=width,
            stride=stride,
            padded=padded,
        )

    def look(self, image: Tensor) -> ImageFeatures:
        size = (image.shape[-2], image.shape[-1])
        return ImageFeatures(size, self.image(self._framed(normalised(image))))

    def fused(self, seen: ImageFeatures, maps: Tensor) -> tuple[Tensor, ...]:
        """Features of all five stages, before their pooling."""
        means = maps.new_tensor(MAP_MEANS)[:, None, None]
        clicks = self.clicks(self._framed((maps - means) / GREY_LEVELS))
        features = [
            torch.cat(pair, 1) for pair in zip(seen.activations, clicks, strict=True)
        ]
        for stage in self.fusion:
            features.append(stage(pooled(features[-1])))
        return tuple(features)

    def initialise(self, tensors: Mapping[str, Tensor]) -> None:
        """Section 3.3: clicks see by the mean of the colours, halves are copies."""
        self.image.initialise(tensors)
        self.clicks.initialise(tensors, mean_of_colours)
        layers = [m for m in self.fusion.modules() if isinstance(m, nn.Conv2d)]
        names = convolution_names(tensors)[len(self.image.convolutions()) :]
        for number, (layer, name) in enumerate(zip(layers, names, strict=True)):
            filters = tensors[f"{name}.weight"].repeat(1, 1 if number else 2, 1, 1)
            fill(layer, filters, tensors[f"{name}.bias"])
        self.head.initialise(tensors, copies=1 if layers else 2)

    def _framed(self, shown: Tensor) -> Tensor:
        return framed(shown) if self.padded else shown


class Refining(nn.Module):
    """MSRN: features of every scale, summed in full size, beside the coarse scores."""

    def __init__(
        self, widths: tuple[int, ...], width: float, dropout: float, *, padded: bool
    ) -> None:
        super().__init__()
        narrow, refined = scaled(BOTTLENECK, width), scaled(REFINED, width)
        self.start = PADDING - 1 if padded else 0
        self.bottlenecks = nn.ModuleList(_normed(one, narrow, 1) for one in widths)
        self.scores = nn.BatchNorm2d(CLASSES)
        channels = (narrow + CLASSES, *[refined] * len(KERNELS))
        self.refine = nn.Sequential(
            *(
                nn.Sequential(_normed(*sizes, kernel), nn.Dropout(dropout))
                for sizes, kernel in zip(pairwise(channels), KERNELS, strict=True)
            )
        )
        self.out = nn.Conv2d(refined, CLASSES, 1)
        self.apply(started)

    def forward(self, features: tuple[Tensor, ...], scores: Tensor) -> Tensor:
        """Refined scores ``(B, 2, H, W)`` from coarse ones of the same size."""
        size = (scores.shape[-2], scores.shape[-1])
        scales = [
            enlarged(reduce(one), 2**number, size, self.start)
            for number, (reduce, one) in enumerate(
                zip(self.bottlenecks, features, strict=True)
            )
        ]
        summed = torch.stack(scales).sum(0)
        return self.out(self.refine(torch.cat([summed, self.scores(scores)], 1)))


class FCTSFN(nn.Module):
    """The two-stream network and, if it ``refines``, the refining network after it.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    streams
        Stages of VGG in each stream, 1 to 5: TSLFN_1 to TSLFN_5; the paper's is 4.
    stride
        Of the two-stream network's finest scores: 32, 16 or 8.
    refines
        Whether the refining network is there; it is trained second, with the other one
        fixed (section 3.3).
    refining
        Of the refining network: factor on its channels, and dropout after each layer.
        None: ``width``, and the paper's 0.5, which leaves too little of six channels.
    padded
        100 pixels of frame, as FCN has. Without it every layer keeps the size: the same
        weights, a sixth of the pixels for windows of 128.
    normed
        With batch norms, which VGG had not: for narrow networks from random weights.
    pretrained
        Begin with torchvision's VGG-16 as in section 3.3.

    Raises
    ------
    ValueError
        If there is no such stride or number of stages, or the pretrained weights cannot
        be had or do not fit the width.
    """

    encoder = DistanceMaps(TRUNCATION)

    def __init__(
        self,
        width: float = 1.0,
        *,
        streams: int = STREAMS,
        stride: int = 8,
        refines: bool = True,
        refining: tuple[float, float] | None = None,
        padded: bool = True,
        normed: bool = False,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if not 1 <= streams <= STAGES:
            raise ValueError(f"streams have 1 to {STAGES} stages of VGG, not {streams}")
        if pretrained:
            whole(width)
            tensors = vgg_tensors(DEPTH)
        self.width = width
        self.two_streams = TwoStreams(
            width, streams, stride, padded=padded, normed=normed
        )
        widths = self.two_streams.widths
        size = refining or (width, DROPOUT)
        self.refining = Refining(widths, *size, padded=padded) if refines else None
        if pretrained:
            self.two_streams.initialise(tensors)

    def look(self, image: Tensor) -> ImageFeatures:
        """The image stream for ``(B, 3, H, W)`` in 0..1."""
        return self.two_streams.look(image)

    def answer(self, seen: ImageFeatures, maps: Tensor) -> Answer:
        """For ``maps`` ``(B, 2, H, W)``: distances in pixels."""
        features = self.two_streams.fused(seen, maps)
        scores = self.two_streams.head(pools_of(features), seen.size)
        coarse = object_logit(scores)
        if self.refining is None:
            return Answer(coarse, coarse)
        return Answer(object_logit(self.refining(features, scores)), coarse)

    def forward(self, image: Tensor, maps: Tensor) -> Answer:
        """See ``napari_iseg.nets.papers``."""
        return self.answer(self.look(image), maps)


def _normed(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
