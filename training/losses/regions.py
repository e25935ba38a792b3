"""RIS-Net (ICCV 2017): regions around clicks, each with less to say than the last."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

DISCOUNT = 0.8  # gamma
NEARLY = 1e-6  # keeps the logarithm finite where a probability is 0 or 1


def fused(whole: Tensor, part: Tensor) -> Tensor:
    """The larger of two probabilities, pixel by pixel (eq. 3).

    A part is 0 outside its region, so it can only add: what RIS-Net says of negative
    clicks must come from the whole.
    """
    return torch.maximum(whole, part)


def discounted_rewards(
    whole: Tensor,
    parts: Tensor,
    regions: Tensor,
    truth: Tensor,
    discount: float = DISCOUNT,
) -> Tensor:
    """The whole's loss, and exp(-reward) of each region as it is added (eq. 2).

    A region's reward is how much lower the loss of the fused answer is with it; the
    one with the largest error in it comes first.

    Parameters
    ----------
    whole, truth
        ``(H, W)``, 0..1.
    parts, regions
        ``(R, H, W)``: probabilities, 0 outside their regions; and 1 inside them.
    discount
        gamma, 0..1. 0 leaves the first region, whatever the paper says of it.

    Returns
    -------
    A single number.
    """
    loss = total = entropy(whole, truth)
    for place, part in enumerate(one_by_one(whole, parts, regions, truth)):
        lower = entropy(part, truth)
        total = total + discount**place * torch.exp(lower - loss)
        loss = lower
    return total


def discounted_entropies(
    whole: Tensor,
    parts: Tensor,
    regions: Tensor,
    truth: Tensor,
    discount: float = DISCOUNT,
) -> Tensor:
    """The whole's loss, and each region's own, in the same order and discounted.

    Section 3.3 speaks of "one local loss per ROI", which eq. 2 lacks: its gradient
    vanishes for a region that helps much, this one's does not. Arguments as above.
    """
    total = entropy(whole, truth)
    for place, region in enumerate(greedy_order(whole, parts, regions, truth)):
        inside = regions[region] > 0
        own = entropy(parts[region][inside], truth[inside])
        total = total + discount**place * own
    return total


def greedy_order(
    whole: Tensor, parts: Tensor, regions: Tensor, truth: Tensor
) -> list[int]:
    """Regions by the error that is left in them when their turn comes, worst first.

    The first of several that are equally bad.
    """
    answer, left, order = whole.detach(), list(range(len(parts))), []
    while left:
        wrong = (answer - truth).abs()
        errors = [float((wrong * regions[region]).sum()) for region in left]
        worst = left[errors.index(max(errors))]
        order.append(worst)
        left.remove(worst)
        answer = fused(answer, parts[worst].detach())
    return order


def one_by_one(
    whole: Tensor, parts: Tensor, regions: Tensor, truth: Tensor
) -> Iterator[Tensor]:
    """The fused answer after each region."""
    answer = whole
    for region in greedy_order(whole, parts, regions, truth):
        answer = fused(answer, parts[region])
        yield answer


def entropy(probability: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy of probabilities."""
    return F.binary_cross_entropy(probability.clamp(NEARLY, 1 - NEARLY), truth)
