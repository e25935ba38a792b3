"""The default network: image stream, click stream, several hypotheses, a fine head.

Ideas and where they come from:

- two streams fused after the second stage, so that image features can be kept while
  clicks change (FCTSFN, section 3.1: late fusion beats early and very late fusion);
- ``hypotheses`` answers and a judge that looks at each of them (Latent Diversity,
  section 3: its selection network, here on features that are there already);
- global context added at the bottom (RIS-Net's global branch, by pooling);
- a light head at full resolution that sees the image again (FCTSFN's multi-scale
  refining network, BRS's fine decoder);
- a channel for the previous answer (ITIS, section 3.3) and one for other objects.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GUIDES = 4  # positive discs, negative discs, previous probability, other objects


class ImageFeatures(NamedTuple):
    """What depends on the image alone: worth keeping while clicks change."""

    image: Tensor  # (B, 3, N, N), standardised
    half: Tensor  # (B, w, N/2, N/2)
    quarter: Tensor  # (B, 2w, N/4, N/4)


class Answer(NamedTuple):
    """``logits`` and ``coarse`` are ``(B, M, N, N)``; ``scores`` ``(B, M)`` logits."""

    logits: Tensor
    coarse: Tensor
    scores: Tensor


def conv(inputs: int, outputs: int, *, stride: int = 1, size: int = 3) -> nn.Module:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.second(self.first(features)))


class Context(nn.Module):
    """Adds what the whole window looks like to every place of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, width // 2, 1)
        self.expand = nn.Conv2d(width // 2, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(features, 1)
        return features + self.expand(F.relu(self.reduce(pooled)))


class Up(nn.Module):
    """Doubles the resolution and joins the skip connection."""

    def __init__(self, deep: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(deep, outputs, 1)
        self.join = conv(outputs + skip, outputs)
        self.mix = conv(outputs, outputs)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        wide = F.interpolate(
            self.reduce(deep),
            size=skip.shape[-2:],
            mode="bilinear",
            align_corners=False,
        )
        return self.mix(self.join(torch.cat([wide, skip], 1)))


class Judge(nn.Module):
    """Scores every hypothesis by what lies inside it, around it and in the window.

    A mean over the whole window cannot tell one rod from two that were merged, nor see
    an object of a few pixels: features are pooled under each mask, after convolutions
    that see the mask's outline and the image's edges together.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        w = width
        self.reduce = nn.Conv2d(w, w // 2, 1)
        self.compare = nn.Sequential(
            conv(w // 2 + 4, w, stride=2),
            conv(w, 2 * w, stride=2),
            conv(2 * w, 2 * w),
        )
        self.context = nn.Linear(8 * w, w)
        self.rate = nn.Sequential(
            nn.Linear(7 * w + 3, 64), nn.ReLU(inplace=True), nn.Linear(64, 1)
        )

    def forward(
        self, deep: Tensor, bottom: Tensor, coarse: Tensor, guides: Tensor
    ) -> Tensor:
        """``deep`` ``(B, w, h, h)``, ``coarse`` ``(B, M, h, h)``: ``(B, M)`` logits."""
        count = coarse.shape[1]
        mask = coarse.detach().float().sigmoid().flatten(0, 1)[:, None]
        clicks = F.max_pool2d(guides[:, :2], 2).to(deep.dtype)
        shared = torch.cat([self.reduce(deep), clicks], 1)
        doubt = 4 * mask * (1 - mask)
        shown = torch.cat(
            [
                shared.repeat_interleave(count, 0),
                mask.to(deep.dtype),
                doubt.to(deep.dtype),
            ],
            1,
        )
        seen = self.compare(shown).float()
        inside = F.avg_pool2d(mask, 4)
        under = (seen * inside).sum((2, 3)) / (inside.sum((2, 3)) + 0.1)
        around = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1)
        window = self.context(bottom.mean((2, 3))).repeat_interleave(count, 0).float()
        judged = torch.cat([under, around, window, facts_of(mask, doubt)], 1)
        return self.rate(judged)[:, 0].unflatten(0, (-1, count))


def facts_of(mask: Tensor, doubt: Tensor) -> Tensor:
    """Size, doubt in relation to it, share of the window's edge: ``(B, 3)``."""
    area = mask.mean((1, 2, 3))
    edge = torch.cat(
        [mask[..., 0, :], mask[..., -1, :], mask[..., 0], mask[..., -1]], 2
    )
    unsure = doubt.mean((1, 2, 3)) / (area + 1e-3)
    return torch.stack([(area + 1e-4).log() / 4, unsure, edge.mean((1, 2))], 1)


class CellsNet(nn.Module):
    """About 3 M parameters at ``width`` 32; sides of the window: multiples of 16."""

    def __init__(self, width: int = 32, hypotheses: int = 3) -> None:
        super().__init__()
        w = width
        self.width, self.hypotheses = width, hypotheses
        self.image_half = nn.Sequential(conv(3, w, stride=2), conv(w, w))
        self.image_quarter = nn.Sequential(conv(w, 2 * w, stride=2), conv(2 * w, 2 * w))
        self.guide_half = conv(GUIDES, w // 2, stride=2)
        self.guide_half_out = nn.Conv2d(w // 2, w, 1)
        self.guide_quarter = nn.Sequential(
            conv(w // 2, w, stride=2), nn.Conv2d(w, 2 * w, 1)
        )
        self.quarter = Residual(2 * w)
        self.eighth = nn.Sequential(conv(2 * w, 4 * w, stride=2), Residual(4 * w))
        self.bottom = nn.Sequential(
            conv(4 * w, 8 * w, stride=2), Residual(8 * w), Context(8 * w)
        )
        self.up_eighth = Up(8 * w, 4 * w, 4 * w)
        self.up_quarter = Up(4 * w, 2 * w, 2 * w)
        self.up_half = Up(2 * w, w, w)
        self.coarse = nn.Conv2d(w, hypotheses, 1)
        self.to_fine = nn.Conv2d(w, w // 2, 1)
        self.fine = nn.Sequential(
            conv(w // 2 + 3 + GUIDES, w // 2), conv(w // 2, w // 2)
        )
        self.fine_out = nn.Conv2d(w // 2, hypotheses, 1)
        self.judge = Judge(w)

    def look(self, image: Tensor) -> ImageFeatures:
        """Features of the image alone. ``image`` is ``(B, 3, N, N)``, any range."""
        standard = standardised(image)
        half = self.image_half(standard)
        return ImageFeatures(standard, half, self.image_quarter(half))

    def answer(self, seen: ImageFeatures, guides: Tensor) -> Answer:
        """Hypotheses for ``guides`` ``(B, 4, N, N)`` in 0..1."""
        deep, half, scores = self.decoded(seen, guides)
        coarse = doubled(half)
        rough = doubled(self.to_fine(deep))
        sharp = torch.cat([seen.image, guides], 1).to(rough.dtype)
        fine = torch.cat([rough, sharp], 1)
        return Answer(coarse + self.fine_out(self.fine(fine)), coarse, scores)

    def glance(self, seen: ImageFeatures, guides: Tensor) -> Answer:
        """The same without the fine head: for windows that only show where to look."""
        _, half, scores = self.decoded(seen, guides)
        coarse = doubled(half)
        return Answer(coarse, coarse, scores)

    def decoded(
        self, seen: ImageFeatures, guides: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """At half resolution: features, logits; and the scores ``(B, M)``."""
        hint = self.guide_half(guides)
        half = F.relu(seen.half + self.guide_half_out(hint))
        quarter = self.quarter(F.relu(seen.quarter + self.guide_quarter(hint)))
        eighth = self.eighth(quarter)
        bottom = self.bottom(eighth)
        deep = self.up_half(
            self.up_quarter(self.up_eighth(bottom, eighth), quarter), half
        )
        coarse = self.coarse(deep)
        return deep, coarse, self.judge(deep, bottom, coarse, guides)

    def forward(self, image: Tensor, guides: Tensor) -> Answer:
        return self.answer(self.look(image), guides)


def doubled(features: Tensor) -> Tensor:
    """Twice the height and width, bilinear."""
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def standardised(image: Tensor) -> Tensor:
    """Each window to mean 0 and deviation 1 over all channels together.

    The floor keeps the noise of an empty window from being blown up.
    """
    mean = image.mean((1, 2, 3), keepdim=True)
    deviation = image.std((1, 2, 3), keepdim=True)
    return (image - mean) / (deviation + 0.01)
