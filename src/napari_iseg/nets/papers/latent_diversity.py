"""Latent Diversity: several segmentations at once, and a second network that chooses.

Li, Chen and Koltun, *Interactive image segmentation with latent diversity*, CVPR 2018.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.click_maps import DistanceMaps
from napari_iseg.nets.papers.bilinear import enlarged
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.vgg import (
    VGG,
    normalised,
    pooled,
    scaled,
    started,
    vgg_tensors,
)

TRUNCATION = 255.0  # pixels, of the distances T_p and T_n (eq. 1)
DEPTH = 19  # layers of VGG
TAP = 2  # conv1-2, conv2-2, ..., conv5-2: the second of each stage (section 3)
WIDTH = 64  # of layers 1 to 10 (table 1)
DILATIONS = (1, 2, 4, 8, 16, 32, 64, 128, 1)  # of layers 2 to 10 (table 1)
MASKS = 6  # M (section 5.2, figure 5)
SLOPE = 0.2  # of the leaky ReLU; the text does not say, the released code does
BESIDE = 3 + 2 + 2  # channels of X, of S_p and S_n, of T_p and T_n
RANK = 2.0  # lambda_m = 0.01 * 2 ** (M - m) (eq. 7): each counts twice the next
CLICKED = 0.75  # pixels: nearer to a click than any pixel but its own
UNET_LEVELS = (1, 2, 4, 8, 16)  # times WIDTH: Ronneberger et al. (table 4's other f)


class ImageFeatures(NamedTuple):
    """What depends on the image alone: worth keeping while clicks change."""

    image: Tensor  # (B, 3, H, W), normalised
    projected: Tensor  # (B, WIDTH, H, W): layer 1 of everything but the clicks


class Answer(NamedTuple):
    """``logits`` ``(B, M, H, W)`` of the masks, ``scores`` ``(B, M)`` of each.

    ``scores`` are g's logits (eq. 6).
    """

    logits: Tensor
    scores: Tensor

    @property
    def probabilities(self) -> Tensor:
        """That each of the masks is meant: ``(B, M)``, adding up to 1."""
        return self.scores.softmax(1)

    @property
    def chosen(self) -> Tensor:
        """Logits of the mask with the best score, ``(B, 1, H, W)``: F in section 2."""
        best = self.scores.argmax(1)[:, None, None, None]
        return self.logits.take_along_dim(best, 1)


class ContextNet(nn.Module):
    """Layers 2 to 11 of table 1: full resolution, sees 513 x 513 pixels.

    ``normed``: with batch norms, which table 1 has not.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, *, normed: bool = False
    ) -> None:
        super().__init__()
        channels = (inputs, *[width] * len(DILATIONS))
        self.layers = nn.ModuleList(
            nn.Conv2d(*sizes, 3, padding=dilation, dilation=dilation)
            for sizes, dilation in zip(pairwise(channels), DILATIONS, strict=True)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width) if normed else nn.Identity() for _ in DILATIONS
        )
        self.out = nn.Conv2d(width, outputs, 1)
        self.apply(started)

    def forward(self, features: Tensor) -> Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = F.leaky_relu(norm(layer(features)), SLOPE)
        return self.out(features)


class UNet(nn.Module):
    """The U-Net of table 4 in the place of the context network."""

    def __init__(
        self, inputs: int, outputs: int, width: int, *, normed: bool = False
    ) -> None:
        super().__init__()
        widths = [width * level for level in UNET_LEVELS]
        self.down = nn.ModuleList(
            _twice(*sizes, normed=normed) for sizes in pairwise((inputs, *widths))
        )
        climb = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(*sizes, 2, 2) for sizes in climb)
        self.join = nn.ModuleList(
            _twice(2 * fine, fine, normed=normed) for _, fine in climb
        )
        self.out = nn.Conv2d(width, outputs, 1)
        self.apply(started)

    def forward(self, features: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            features = level(pooled(features) if skips else features)
            skips.append(features)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            skip = skips.pop()
            height, width = skip.shape[-2:]
            features = join(torch.cat([up(features)[..., :height, :width], skip], 1))
        return self.out(features)


class LatentDiversity(nn.Module):
    """f synthesizes ``masks`` segmentations, g tells which one is meant.

    Parameters
    ----------
    width
        Factor on every number of channels but that of the masks; 1.0 is the paper's.
    context
        Another factor on those of layers 1 to 10 and of g, which have to keep all masks
        apart however narrow VGG is. 1.0 is the paper's.
    masks
        M, the number of segmentations.
    body
        What f consists of after layer 1: ``ContextNet``, or ``UNet`` as in table 4.
    selects
        Whether there is a g. Without it the masks are ranked by their order, as the
        ranked diversity loss trains them (eq. 7): the first one is the answer.
    limit
        Pixels at which the distances are cut; so many are 1 for the network. With 1
        they say no more than the clicked pixels do ("without distance transforms",
        table 2).
    normed
        With batch norms, which none of its parts had: for narrow networks from random
        weights.
    pretrained
        Begin with torchvision's VGG-19 and keep it as it is; f and g are random.

    Raises
    ------
    ValueError
        If the pretrained weights cannot be had or do not fit the width.
    """

    encoder = DistanceMaps(TRUNCATION)

    def __init__(
        self,
        width: float = 1.0,
        *,
        context: float = 1.0,
        masks: int = MASKS,
        body: type[ContextNet | UNet] = ContextNet,
        selects: bool = True,
        limit: float = TRUNCATION,
        normed: bool = False,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if pretrained:
            whole(width)
            tensors = vgg_tensors(DEPTH)
        channels = scaled(WIDTH, width * context)
        self.width, self.masks = width, masks
        self.encoder = DistanceMaps(limit)
        # Nobody looks at the rest of the last stage.
        self.vision = VGG(DEPTH, width=width, last=TAP, normed=normed)
        inputs = BESIDE + sum(self.vision.widths)  # 1,479
        self.project = nn.Conv2d(inputs, channels, 1)
        self.segment = body(channels, masks, channels, normed=normed)
        self.select = (
            ContextNet(BESIDE + masks, masks, channels, normed=normed)
            if selects
            else None
        )
        self.project.apply(started)
        with torch.no_grad():  # as heavy as all features, or clicks are not heard
            self._columns(0, BESIDE).mul_(math.sqrt(inputs / BESIDE))
        if pretrained:
            self.vision.initialise(tensors)
            self.vision.requires_grad_(requires_grad=False)

    def look(self, image: Tensor) -> ImageFeatures:
        """What the clicks do not change. ``image`` is ``(B, 3, H, W)`` in 0..1."""
        shown = normalised(image)
        size = (image.shape[-2], image.shape[-1])
        projected = F.conv2d(shown, self._columns(0, 3), self.project.bias)
        first = BESIDE
        for number, features in enumerate(self.hypercolumns(shown)):
            # A projection of enlarged features is the enlarged projection: 64 channels
            # have to be enlarged instead of 1,472.
            last = first + features.shape[1]
            small = F.conv2d(features, self._columns(first, last))
            projected = projected + enlarged(small, 2**number, size)
            first = last
        return ImageFeatures(shown, projected)

    def answer(
        self, seen: ImageFeatures, maps: Tensor, order: Tensor | None = None
    ) -> Answer:
        """Segmentations for ``maps`` ``(B, 2, H, W)``: distances in pixels.

        ``order``, a permutation of the M masks, is how g is shown them in training, so
        that it looks at what they hold (section 4). Scores come back in f's order.
        """
        clicks = torch.cat([clicked(maps), maps / self.encoder.limit], 1)
        beside = F.conv2d(clicks, self._columns(3, BESIDE))
        logits = self.segment(seen.projected + beside)
        shown = torch.cat([seen.image, clicks], 1)
        return Answer(logits, self.scores(shown, logits, order))

    def forward(
        self, image: Tensor, maps: Tensor, order: Tensor | None = None
    ) -> Answer:
        """See ``napari_iseg.nets.papers``."""
        return self.answer(self.look(image), maps, order)

    def scores(self, shown: Tensor, logits: Tensor, order: Tensor | None) -> Tensor:
        """Logits of g ``(B, M)``; f is not trained through it (section 5.1)."""
        if self.select is None:
            ranks = torch.arange(self.masks, 0, -1, device=logits.device)
            return (ranks * torch.tensor(RANK).log()).expand(len(logits), -1)
        if order is None:
            order = torch.arange(self.masks, device=logits.device)
        masks = logits.detach().sigmoid()[:, order]
        rated = self.select(torch.cat([shown, masks], 1)).mean((2, 3))
        return rated[:, order.argsort()]

    def hypercolumns(self, shown: Tensor) -> list[Tensor]:
        """The tapped layer of each stage, each half as large as the one before."""
        taps: list[Tensor] = []
        for stage in self.vision.parts():
            activations = list(stage.activations(pooled(shown) if taps else shown))
            taps.append(activations[TAP - 1])
            shown = activations[-1]
        return taps

    def _columns(self, first: int, last: int) -> Tensor:
        return self.project.weight[:, first:last]


def clicked(maps: Tensor) -> Tensor:
    """S_p and S_n: 1 on the clicked pixels of distance maps, 0 elsewhere."""
    return (maps < CLICKED).to(maps.dtype)


def _twice(inputs: int, outputs: int, *, normed: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers.append(nn.Conv2d(channels, outputs, 3, padding=1))
        layers += [nn.BatchNorm2d(outputs)] if normed else []
        layers.append(nn.LeakyReLU(SLOPE))
    return nn.Sequential(*layers)
