"""DHSNet: what is salient, first on the whole and coarsely, then finer step by step.

Liu and Han, *DHSNet: deep hierarchical saliency network for salient object detection*,
CVPR 2016. It knows nothing of clicks; BRS converts it (figure 11).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.own.fitting import mirror
from napari_iseg.nets.papers.bilinear import enlarged
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.vgg import (
    VGG,
    normalised,
    scaled,
    started,
    vgg_tensors,
)

DEPTH = 16  # layers of VGG
SIDE = 224  # pixels: every image is made so large
FEATURES = 64  # of each recurrent layer, and what VGG's features are squashed to
TIMES = 3  # how often a recurrent layer runs beyond its first pass
# Of the local response normalisation, as in the recurrent layer that DHSNet takes over
# (Liang and Hu, CVPR 2015): K / 8 + 1 features, alpha, beta.
NEIGHBOURS, ALPHA, BETA = FEATURES // 8 + 1, 1e-3, 0.75


class Answer(NamedTuple):
    """``logits`` ``(B, 1, H, W)``; ``coarser``: of each map before, coarsest first."""

    logits: Tensor
    coarser: tuple[Tensor, ...]


class ResponseNorm(nn.Module):
    """Local response normalisation: ``torch.nn.LocalResponseNorm``, but fast on CPUs.

    Sums of neighbouring channels are a convolution with ones.
    """

    band: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        places = torch.arange(channels)
        near = (places[:, None] - places).abs() <= NEIGHBOURS // 2
        band = near[:, :, None, None] / NEIGHBOURS
        self.register_buffer("band", band, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        mean = F.conv2d(features.square(), self.band.to(features.dtype))
        return features / (1 + ALPHA * mean) ** BETA


class RecurrentLayer(nn.Module):
    """A convolution that sees its input and, again and again, its own answer."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.feed = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.again = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm = ResponseNorm(outputs)

    def forward(self, given: Tensor) -> Tensor:
        fed = self.feed(given)
        state = self.norm(F.relu(fed))
        for _ in range(TIMES):
            state = self.norm(F.relu(fed + self.again(state)))
        return state


class Refinement(nn.Module):
    """A coarse map beside VGG's features of a stage, to a map as fine as those."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.squash = nn.Conv2d(channels, features, 1)
        self.recur = RecurrentLayer(features + 1, features)
        self.score = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """Logits; ``coarse`` holds probabilities, on the grid of ``features``."""
        beside = torch.cat([self.squash(features).sigmoid(), coarse], 1)
        return self.score(self.recur(beside))


class DHSNet(nn.Module):
    """Logits of being salient.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    side
        Pixels, a multiple of 16: every image is made so large, and the answer as large
        as the image.
    pretrained
        Begin with torchvision's VGG-16.
    normed
        With batch norms in VGG: for narrow networks that begin at random.

    Raises
    ------
    ValueError
        If ``side`` is no such multiple, or the pretrained weights cannot be had or do
        not fit the width.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        side: int = SIDE,
        pretrained: bool = False,
        normed: bool = False,
    ) -> None:
        super().__init__()
        if side < 16 or side % 16:
            raise ValueError(f"side must be a multiple of 16 pixels, got {side}")
        if pretrained:
            whole(width)
            tensors = vgg_tensors(DEPTH)
        self.width, self.side = width, side
        self.trunk = VGG(DEPTH, width=width, normed=normed)
        features, cells = scaled(FEATURES, width), side // 8
        seen = self.trunk.widths[-1] * (side // 16) ** 2
        self.overview = nn.Linear(seen, cells * cells)
        self.refine = nn.ModuleList(
            Refinement(channels, features) for channels in self.trunk.widths[-2::-1]
        )
        self.refine.apply(started)
        if pretrained:
            self.trunk.initialise(tensors)

    def forward(self, image: Tensor) -> Answer:
        """RGB ``(B, 3, H, W)`` in 0..1, of any size."""
        square = resized(image, (self.side, self.side))
        *local, last = self.trunk(normalised(square))
        cells = self.side // 8
        found = [self.overview(last.flatten(1)).unflatten(1, (1, cells, cells))]
        for step, features in zip(self.refine, local[::-1], strict=True):
            grid = (features.shape[-2], features.shape[-1])
            found.append(step(features, as_fine_as(grid, found[-1].sigmoid())))
        *coarser, logits = found
        height, width = image.shape[-2:]
        return Answer(resized(logits, (height, width)), tuple(coarser))


class Square(nn.Module):
    """DHSNet that squeezes height and width alike.

    An image that is no square goes on as its mirror image: cells of a narrow one would
    be of another shape than those that were learnt.
    """

    def __init__(self, net: DHSNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """Logits ``(B, 1, H, W)`` of RGB ``(B, 3, H, W)`` in 0..1."""
        height, width = image.shape[-2:]
        side = max(height, width)
        for axis in (-2, -1):
            places = mirror(image.shape[axis], side, 0).to(image.device)
            image = image.index_select(axis, places)
        logits: Tensor = self.net(image).logits
        return logits[..., :height, :width]


def as_fine_as(grid: tuple[int, int], coarse: Tensor) -> Tensor:
    """``coarse`` enlarged by the factor between both."""
    return enlarged(coarse, grid[0] // coarse.shape[-2], grid)


def resized(image: Tensor, grid: tuple[int, int]) -> Tensor:
    """Bilinear; smoothed where it becomes smaller."""
    if image.shape[-2:] == grid:
        return image
    return F.interpolate(
        image, grid, mode="bilinear", align_corners=False, antialias=True
    )
