"""Latent Diversity (CVPR 2018): several answers, of which the best one is trained."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

RANKS = 1e-2  # of lambda_m in eq. 7
CODE_RANKS = 0.0025  # the released code's: 32, 16, ... 1 times this for M = 6
EMPTY = 1e-6  # pixels


def relaxed_jaccard(probability: Tensor, truth: Tensor) -> Tensor:
    """The Jaccard distance of soft masks, ``(B, M)`` (eq. 3): 1 - sum min / sum max.

    ``probability`` ``(B, M, H, W)``, ``truth`` ``(B, 1, H, W)``, both 0..1. Two empty
    masks are equal.
    """
    both = torch.minimum(probability, truth).sum((2, 3))
    either = torch.maximum(probability, truth.expand_as(probability)).sum((2, 3))
    return 1 - (both + EMPTY) / (either + EMPTY)


def click_penalty(probability: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """How far clicked pixels are from their labels, summed, ``(B, M)`` (eq. 4).

    ``positive`` and ``negative`` ``(B, 1, H, W)`` are 1 on clicked pixels, else 0: the
    soft constraint that the clicks are to be obeyed.
    """
    missed = positive * (positive - probability)
    overrun = negative * (negative - (1 - probability))
    return missed.abs().sum((2, 3)) + overrun.abs().sum((2, 3))


def hindsight(
    probability: Tensor,
    truth: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    soft: float = 1.0,
) -> Tensor:
    """The cost of the answer that turns out best, ``(B,)`` (eq. 2; with clicks, eq. 5).

    The others get no gradient: they are free to stand for other objects. ``soft``: the
    weight of the clicks, 0 for eq. 2.
    """
    cost = relaxed_jaccard(probability, truth)
    cost = cost + soft * click_penalty(probability, positive, negative)
    return cost.min(1).values


def ranks(number: int, scale: float = RANKS) -> Tensor:
    """lambda_m of eq. 7, ``(M,)``: each answer counts twice as much as the next.

    For six answers 0.32 to 0.01; in the released code 0.08 to 0.0025
    (``scale=CODE_RANKS``).
    """
    steps = torch.arange(number - 1, -1, -1, dtype=torch.float32)
    return scale * 2**steps


def in_order(jaccard: Tensor, scale: float) -> Tensor:
    """One cost ``(B,)`` of distances ``(B, M)``: the first answers are the dearest."""
    return (ranks(jaccard.shape[1], scale).to(jaccard) * jaccard).sum(1)


def ranked_diversity(
    probability: Tensor,
    truth: Tensor,
    positive: Tensor,
    negative: Tensor,
    scale: float = RANKS,
    *,
    soft: float = 1.0,
) -> Tensor:
    """Hindsight, and a cost that puts the answers in an order, ``(B,)`` (eq. 7)."""
    cost = hindsight(probability, truth, positive, negative, soft=soft)
    return cost + in_order(relaxed_jaccard(probability, truth), scale)


def released(
    probability: Tensor,
    truth: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    soft: float = 1.0,
) -> Tensor:
    """The loss of the released code, ``(B,)``, for the same arguments as ``hindsight``.

    Clicks bind every answer, not only the best one, and each answer is drawn to the
    truth a little, in the order of eq. 7. Clicked pixels are averaged, not summed.
    """
    jaccard = relaxed_jaccard(probability, truth)
    number = (positive + negative).sum((2, 3)).clamp(min=1)
    penalty = click_penalty(probability, positive, negative) / number
    best = jaccard.min(1).values
    return best + in_order(jaccard, CODE_RANKS) + soft * penalty.mean(1)


def selection(scores: Tensor, probability: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of choosing the answer nearest to the truth, ``(B,)`` (eq. 6).

    ``scores`` ``(B, M)``; what was answered gets no gradient.
    """
    nearest = relaxed_jaccard(probability.detach(), truth).argmin(1)
    return F.cross_entropy(scores, nearest, reduction="none")
