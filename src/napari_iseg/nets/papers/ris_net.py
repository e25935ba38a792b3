"""RIS-Net: a whole-image segmentation, and a closer look at regions between clicks.

Liew, Wei, Xiong, Ong and Feng, *Regional interactive image segmentation networks*,
ICCV 2017. Its answer was polished by graph cut; that is a step of its own, after any
method.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.arrays import Box
from napari_iseg.click_maps import DistanceMaps
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers.click_regions import regions_of
from napari_iseg.nets.papers.deeplab import (
    DROPOUT,
    LARGE,
    LargeFOV,
    gaussian,
    on_pixels,
)
from napari_iseg.nets.papers.fcn import CLASSES, object_logit
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.pyramid import LEVELS, PyramidPooling
from napari_iseg.nets.papers.region_features import features_of
from napari_iseg.nets.papers.vgg import GREY_LEVELS, normalised, started, vgg_tensors

TRUNCATION = 255.0  # pixels, of the distances; the paper gives none, iFCN this
CHANNELS = 3 + 2  # colours, and distances to both kinds of clicks
SIDE = 41  # cells of a region's features (section 4.1)
REDUCTION = 4  # by which each level of the pyramid has fewer channels, as in PSPNet


class Answer(NamedTuple):
    """What the loss needs, as logits of the object.

    Attributes
    ----------
    logits
        ``(B, 1, H, W)``, fused.
    whole
        ``(B, 1, H, W)``, of the global branch.
    parts
        Of each image ``(R, H, W)``: of each region, 0 outside of it. None without a
        local branch: R is 0.
    regions
        Of each image ``(R, H, W)``: 1 inside the regions, 0 outside.
    """

    logits: Tensor
    whole: Tensor
    parts: tuple[Tensor, ...]
    regions: tuple[Tensor, ...]


Fusion = Callable[[Tensor, Tensor, Tensor], Tensor]


def fused_by_mean(of_all: Tensor, parts: Tensor, regions: Tensor) -> Tensor:
    """The mean of all logits that there are for a pixel, ``(H, W)``.

    Arguments are ``(H, W)`` of the whole image, ``(R, H, W)`` twice of the regions.
    """
    return (of_all + parts.sum(0)) / (1 + regions.sum(0))


def fused_by_max(of_all: Tensor, parts: Tensor, regions: Tensor) -> Tensor:
    """The largest (eq. 3): a region can only add. Arguments as above."""
    known = parts.masked_fill(regions == 0, -torch.inf)
    return torch.cat([of_all[None], known]).amax(0)


# Of probabilities or of logits, the maximum is at the same place.
FUSIONS: Mapping[str, Fusion] = MappingProxyType(
    {"mean": fused_by_mean, "max": fused_by_max}
)


class LocalHead(nn.Module):
    """conv7_local and conv8_local, the same for every region."""

    def __init__(self, inputs: int, hidden: int, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.conv7 = nn.Conv2d(inputs, hidden, 1)
        self.drop = nn.Dropout(dropout)
        self.conv8 = nn.Conv2d(hidden, CLASSES, 1)

    def forward(self, features: Tensor, context: Tensor | None) -> Tensor:
        """Scores of both classes ``(R, 2, SIDE, SIDE)`` in the regions of one image.

        ``context`` ``(C', SIDE, SIDE)`` stands beside the ``features`` of each region.
        It is the same in all of them, so what conv7 makes of it is computed once.
        """
        own, shared = self.conv7.weight.tensor_split([features.shape[1]], 1)
        hidden = F.conv2d(features, own, self.conv7.bias)
        if context is not None:
            hidden = hidden + F.conv2d(context[None], shared)
        return self.conv8(self.drop(F.relu(hidden)))


class RISNet(nn.Module):
    """Global branch, local branch and what fuses them.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    local
        Whether there is a local branch.
    context
        Whether pooled features of the whole image stand beside a region's. Without a
        local branch they stand beside conv7 of the global one (table 2, second row).
    fusion
        "mean" of all that is said of a pixel, or "max" as in eq. 3, with which a region
        can never remove anything. No weight depends on it.
    normed
        With batch norms, which VGG had not: for narrow networks from random weights.
    reach
        Dilation of conv6, in cells of 8 pixels. With 12, the paper's, it looks past the
        edges of a window of 96 pixels, which has 13 cells a side.
    dropout
        In training, after each hidden layer.
    pretrained
        Begin with torchvision's VGG-16; the two extra channels begin at zero.

    Raises
    ------
    ValueError
        If there is no such fusion, or the pretrained weights cannot be had or do not
        fit the width.
    """

    encoder = DistanceMaps(TRUNCATION)
    settings: Mapping[str, Collection[str]] = MappingProxyType({"fusion": FUSIONS})

    def __init__(
        self,
        width: float = 1.0,
        *,
        local: bool = True,
        context: bool = True,
        fusion: str = "mean",
        normed: bool = False,
        reach: int = LARGE,
        dropout: float = DROPOUT,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"fusion is one of {list(FUSIONS)}, not {fusion!r}")
        if pretrained:
            whole(width)
            tensors = vgg_tensors(16)
        self.width, self.fusion = width, fusion
        self.trunk = LargeFOV(
            width, CHANNELS, normed=normed, reach=reach, dropout=dropout
        )
        conv7 = self.trunk.outputs
        level = max(1, conv7 // REDUCTION)
        both = conv7 + level * len(LEVELS) * context
        self.context = PyramidPooling(conv7, level, SIDE) if context else None
        self.conv8 = nn.Conv2d(conv7 if local else both, CLASSES, 1)
        self.local = LocalHead(both, conv7, dropout) if local else None
        for new in (self.context, self.conv8, self.local):
            if new is not None:
                new.apply(gaussian if pretrained else started)
        self.conv8.apply(gaussian)  # scores begin small, from scratch as well
        if self.local is not None:
            self.local.conv8.apply(gaussian)
        if pretrained:
            self.trunk.initialise(tensors)

    def forward(
        self,
        image: Tensor,
        maps: Tensor,
        clicks: Sequence[Clicks],
        regions: Sequence[Sequence[Box]] | None = None,
    ) -> Answer:
        """See ``napari_iseg.nets.papers``.

        Parameters
        ----------
        image, maps
            ``(B, 3, H, W)`` in 0..1 and ``(B, 2, H, W)`` in pixels.
        clicks
            Of each image: where its regions are.
        regions
            Of each image, in their place: training slides more along the outline.
        """
        size = (image.shape[-2], image.shape[-1])
        conv7 = self.trunk(torch.cat([normalised(image), maps / GREY_LEVELS], 1))
        context = None if self.context is None else self.context(conv7)
        of_all = object_logit(on_pixels(self.conv8(self._beside(conv7, context)), size))
        if self.local is None:
            nothing = tuple(image.new_zeros(0, *size) for _ in image)
            return Answer(of_all, of_all, nothing, nothing)
        boxes = regions or [regions_of(one, size) for one in clicks]
        around = [None] * len(boxes) if context is None else context
        each = zip(conv7.float(), around, boxes, strict=True)
        parts = tuple(placed(self._seen(*one), one[-1], size) for one in each)
        inside = tuple(drawn(some, of_all) for some in boxes)
        fuse = FUSIONS[self.fusion]
        one_by_one = zip(of_all[:, 0], parts, inside, strict=True)
        fused = torch.stack([fuse(*of_one) for of_one in one_by_one])
        return Answer(fused[:, None], of_all, parts, inside)

    def _seen(
        self, cells: Tensor, context: Tensor | None, boxes: Sequence[Box]
    ) -> Tensor:
        """Logits of one image's regions ``(R, 1, SIDE, SIDE)``."""
        assert self.local is not None
        return object_logit(self.local(features_of(cells, boxes, SIDE), context))

    def _beside(self, conv7: Tensor, context: Tensor | None) -> Tensor:
        """What the global branch scores."""
        if self.local is not None or context is None:
            return conv7
        size = conv7.shape[-2:]
        enlarged = F.interpolate(context, size, mode="bilinear", align_corners=False)
        return torch.cat([conv7, enlarged], 1)


def placed(maps: Tensor, boxes: Sequence[Box], size: tuple[int, int]) -> Tensor:
    """Maps of regions ``(R, 1, SIDE, SIDE)`` where they belong, ``(R, *size)``."""
    height, width = size
    found = []
    for one, box in zip(maps, boxes, strict=True):
        part = F.interpolate(one[None], box.shape, mode="bilinear", align_corners=False)
        around = (box.left, width - box.right, box.top, height - box.bottom)
        found.append(F.pad(part[0, 0], around))
    return torch.stack(found)


def drawn(boxes: Sequence[Box], like: Tensor) -> Tensor:
    """1 inside each region, 0 outside, ``(R, H, W)``."""
    inside = like.new_zeros(len(boxes), *like.shape[-2:])
    for one, box in zip(inside, boxes, strict=True):
        one[box.slices] = 1
    return inside
