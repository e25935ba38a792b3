"""Cross-entropies: of every pixel (iFCN, FCTSFN, BRS), of the worst ones (ITIS)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

WORST = 0.25  # share of the pixels that ITIS trains on


def cross_entropy(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """The mean over the counted pixels, ``(B,)``; all ``(B, 1, H, W)``.

    iFCN and its followers train on this.
    """
    return summed_cross_entropy(logits, truth, counted) / pixels(counted)


def summed_cross_entropy(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """The same not divided by the number of pixels, as FCTSFN's and BRS's rates ask.

    A rate of 1e-7 for this sum is one of about 1e-2 for the mean of a 360-pixel crop.
    """
    return costs(logits, truth, counted).sum((1, 2, 3))


def bootstrapped(
    logits: Tensor, truth: Tensor, counted: Tensor, share: float = WORST
) -> Tensor:
    """The mean over the worst ``share`` of the counted pixels, ``(B,)`` (ITIS 4.2).

    Of each image by itself; at least one pixel. Pixels that are not counted are never
    among the worst.
    """
    found = costs(logits, truth, counted).flatten(1)
    found = found.sort(1, descending=True).values
    number = (share * counted.flatten(1).sum(1)).floor().clamp(min=1)
    place = F.pad(found.cumsum(1), (1, 0))
    return place.gather(1, number.long()[:, None])[:, 0] / number


def coarse_and_fine(
    coarse: Tensor,
    fine: Tensor,
    truth: Tensor,
    counted: Tensor,
    *,
    summed: bool = False,
) -> Tensor:
    """Cross-entropy of both of BRS's decoders, one to one, ``(B,)`` (BRS 3.1)."""
    cost = ENTROPIES[summed]
    return cost(coarse, truth, counted) + cost(fine, truth, counted)


def costs(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return each * counted


def pixels(counted: Tensor) -> Tensor:
    return counted.sum((1, 2, 3)).clamp(min=1)


# By whether they are sums over the pixels.
ENTROPIES = {False: cross_entropy, True: summed_cross_entropy}
