"""What the years after the papers found to work: focal, Dice, click consistency."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

GAMMA = 2.0
EMPTY = 1.0  # pixels: two empty masks agree


def normalised_focal(
    logits: Tensor, truth: Tensor, counted: Tensor, gamma: float = GAMMA
) -> Tensor:
    """Cross-entropy weighted by (1 - p)^gamma, divided by the weights, ``(B, M)``.

    p is the probability of the right label. The plain focal loss fades as answers get
    better; divided by the weights' sum it does not (NFL: Sofiiuk et al., 2019). The
    weights and their sum get no gradient. ``logits`` ``(B, M, H, W)``; the others
    ``(B, 1, H, W)``; 0 if no pixel counts.
    """
    each = F.binary_cross_entropy_with_logits(
        logits, truth.expand_as(logits), reduction="none"
    )
    weight = counted * (1 - (-each.detach()).exp()) ** gamma
    return (weight * each).sum((2, 3)) / weight.sum((2, 3)).clamp(min=1e-8)


def dice(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """1 - twice the overlap over the sum of both areas, ``(B, M)``; shapes as above."""
    p, t = logits.sigmoid() * counted, truth * counted
    both, sizes = (p * t).sum((2, 3)), p.sum((2, 3)) + t.sum((2, 3))
    return 1 - (2 * both + EMPTY) / (sizes + EMPTY)


def click_consistency(logits: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Mean cross-entropy of the clicked pixels, ``(B, M)``.

    ``positive`` and ``negative`` ``(B, 1, H, W)`` are 1 on clicked pixels, else 0. 0
    where nothing is clicked.
    """
    clicked = positive + negative
    each = F.binary_cross_entropy_with_logits(
        logits, positive.expand_as(logits), reduction="none"
    )
    number = clicked.sum((2, 3)).clamp(min=1)
    return (clicked * each).sum((2, 3)) / number
