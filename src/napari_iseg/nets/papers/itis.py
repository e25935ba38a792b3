"""ITIS: DeepLabV3+ that sees clicks as Gaussians and, if wanted, an earlier mask.

Mahadevan, Voigtlaender and Leibe, *Iteratively trained interactive segmentation*,
BMVC 2018. The iterative training is the recipe's; this is the network of section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.click_maps import ClickEncoder, GaussianMaps, NearnessMaps
from napari_iseg.nets.papers.aspp import ASPP, RATES, normed
from napari_iseg.nets.papers.fcn import CLASSES, object_logit
from napari_iseg.nets.papers.framing import extended
from napari_iseg.nets.papers.imagenet import whole
from napari_iseg.nets.papers.resnet import ResNet
from napari_iseg.nets.papers.separable import Separable
from napari_iseg.nets.papers.trunk_weights import keep_statistics
from napari_iseg.nets.papers.vgg import scaled
from napari_iseg.nets.papers.xception import Xception

SIGMA, RADIUS = 10.0, 20.0  # pixels, of the clicks (section 4.2)
LIMIT = 255.0  # pixels, where distances are cut
CHANNELS = 3 + 2  # image and clicks; the mask is one more
MASK_LIMIT = 128.0  # pixels, of the distance to the mask; the released code
STRIDE = 16  # of the encoder's output
HIDDEN = 256  # channels of the pyramid pooling and of the decoder
SKIP = 48  # channels that the encoder's early features are reduced to


class Answer(NamedTuple):
    """``logits`` ``(B, 1, H, W)`` of the object."""

    logits: Tensor


class ITIS(nn.Module):
    """DeepLabV3+ with two classes.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    trunk
        Makes the encoder from width and channels: ``Xception``, the paper's, or
        ``ResNet``; ``partial(ResNet, depth=101)``.
    masked
        Whether it has a channel for an earlier mask.
    radius
        Of the clicks, in pixels; sigma is half of it.
    gaussian
        Clicks as Gaussians; otherwise as distances (figure 5), 1 on a click and 0 at
        ``LIMIT`` pixels.
    reach
        Factor on the dilations of the pyramid pooling. As published they look past the
        edges of a window of 96 pixels, which has seven cells a side.
    pretrained
        Begin with ImageNet's weights of the encoder, whose batch norms then keep their
        statistics.

    Raises
    ------
    ValueError
        If the pretrained weights cannot be had or do not fit the width.
    """

    encoder: ClickEncoder = GaussianMaps(SIGMA, RADIUS)

    def __init__(
        self,
        width: float = 1.0,
        *,
        trunk: Callable[[float, int], Xception | ResNet] = Xception,
        masked: bool = False,
        radius: float = RADIUS,
        gaussian: bool = True,
        reach: float = 1.0,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.encoder: ClickEncoder = (
            GaussianMaps(radius * SIGMA / RADIUS, radius)
            if gaussian
            else NearnessMaps(LIMIT)
        )
        if pretrained:
            whole(width)
        self.width, self.masked, self.pretrained = width, masked, pretrained
        self.trunk = trunk(width, CHANNELS + masked)
        if pretrained:
            self.trunk.initialise()
        fine, deep = self.trunk.widths
        hidden, skip = scaled(HIDDEN, width), scaled(SKIP, width)
        rates = [max(1, round(rate * reach)) for rate in RATES]
        self.context = ASPP(deep, hidden, rates)
        self.skip = normed(fine, skip)
        self.decode = nn.Sequential(
            Separable(hidden + skip, hidden), Separable(hidden, hidden)
        )
        self.score = nn.Conv2d(hidden, CLASSES, 1)

    def forward(
        self, image: Tensor, maps: Tensor, mask: Tensor | None = None
    ) -> Answer:
        """See ``napari_iseg.nets.papers``.

        ``mask`` ``(B, 1, H, W)`` is above 0.5 where the object was thought to be; a
        network that has a channel for it sees an empty one if there is none.

        Raises
        ------
        ValueError
            If there is a mask but no channel for it.
        """
        height, width = image.shape[-2:]
        shown = extended(self._shown(image, maps, mask), STRIDE, 1)
        fine, deep = self.trunk(shown)
        deep = _enlarged(self.context(deep), fine)
        features = self.decode(torch.cat([deep, self.skip(fine)], 1))
        scores = _enlarged(self.score(features), shown)
        return Answer(object_logit(scores[..., :height, :width]))

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's
        """As any module; statistics that came with the weights are kept."""
        super().train(mode)
        if self.pretrained:
            keep_statistics(self.trunk)
        return self

    def _shown(self, image: Tensor, maps: Tensor, mask: Tensor | None) -> Tensor:
        seen = [self.trunk.prepared(image), maps]
        if self.masked:
            empty = torch.zeros_like(maps[:, :1])
            seen.append(distance_to(empty if mask is None else mask))
        elif mask is not None:
            raise ValueError(
                "this network has no channel for a mask; make it with masked=True"
            )
        return torch.cat(seen, 1)


def distance_to(masks: Tensor) -> Tensor:
    """Pixels to the nearest one of each mask, over ``MASK_LIMIT`` and cut at 1.

    ``(B, 1, H, W)``, above 0.5 in the mask, to the same shape: 0 inside, 1 far away and
    wherever a mask is empty. Not differentiable.
    """
    outside = (masks <= 0.5).cpu().numpy()
    distances = [
        distance_transform_edt(one) if not one.all() else np.full(one.shape, np.inf)
        for one in outside[:, 0]
    ]
    cut = np.minimum(np.stack(distances)[:, None] / MASK_LIMIT, 1)
    return torch.from_numpy(cut).to(masks.device, torch.float32)


def _enlarged(coarse: Tensor, like: Tensor) -> Tensor:
    # Cells lie on the first and the last pixel of an extended image, and so they do in
    # the answer.
    size = like.shape[-2:]
    return F.interpolate(coarse, size, mode="bilinear", align_corners=True)
