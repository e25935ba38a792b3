"""What a prediction costs: by pixel, as a region, at clicks, and its own score."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from napari_iseg.nets.cells_net import Answer

# Weight of a clicked pixel beyond 1. With 20 the network bit small holes around the
# clicks instead of learning what they mean; the last step of inference obeys anyway.
CLICKED = 5


def pixel_loss(logits: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy in relation to the object's size, ``(B, M)``.

    ``logits`` ``(B, M, N, N)``; ``truth`` and ``weight`` ``(B, 1, N, N)``. Dividing by
    the whole window instead would make small objects count for nothing.
    """
    cost = F.binary_cross_entropy_with_logits(
        logits, truth.expand_as(logits), reduction="none"
    )
    size = 3 * truth.sum((2, 3)) + 0.05 * truth.shape[-1] * truth.shape[-2]
    return (cost * weight).sum((2, 3)) / size


def region_loss(logits: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """1 - soft intersection over union, ``(B, M)`` (LD's Jaccard distance, eq. 3)."""
    p = logits.sigmoid() * counted
    t = truth * counted
    both, either = (p * t).sum((2, 3)), (p + t - p * t).sum((2, 3))
    return 1 - (both + 1) / (either + 1)


def iou_of(logits: Tensor, truth: Tensor, counted: Tensor, outside: Tensor) -> Tensor:
    """Hard intersection over union, ``(B, M)``; parts outside the window are missed."""
    p, t = (logits > 0) * counted, truth * counted
    both, either = (p * t).sum((2, 3)), (p + t - p * t).sum((2, 3)) + outside[:, None]
    return both / either.clamp(min=1)


def answer_loss(
    answer: Answer,
    truth: Tensor,
    counted: Tensor,
    clicked: Tensor,
    outside: Tensor,
    *,
    best: float,
) -> Tensor:
    """The mean loss of a batch.

    ``best`` is the share of the best hypothesis in each sample's loss (LD, eq. 2 takes
    it alone); the rest goes to all of them alike. ``clicked`` is 1 on clicked pixels:
    they count more (LD's soft constraint, eq. 4, as a weight).
    """
    weight = counted * (1 + CLICKED * clicked)
    logits, coarse = answer.logits.float(), answer.coarse.float()
    cost = pixel_loss(logits, truth, weight) + region_loss(logits, truth, counted)
    rough = pixel_loss(coarse, truth, weight) + region_loss(coarse, truth, counted)
    total = cost + 0.3 * rough
    mixed = best * total.min(1).values + (1 - best) * total.mean(1)
    reached = iou_of(logits.detach(), truth, counted, outside)
    score = F.binary_cross_entropy_with_logits(answer.scores.float(), reached)
    return mixed.mean() + 0.3 * score
