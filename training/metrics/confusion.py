"""How often each class is taken for which: accuracies of semantic segmentation.

The four numbers of FCN (Long et al., CVPR 2015, section 5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def confusion(
    truth: NDArray[np.integer], said: NDArray[np.integer], count: int
) -> NDArray[np.int64]:
    """``(count, count)``: pixels of class i (row) that are said to be of class j.

    ``truth`` and ``said`` ``(H, W)``; pixels whose truth is below 0 do not count.
    """
    known = truth >= 0
    pairs = count * truth[known].astype(np.int64) + said[known]
    return np.bincount(pairs, minlength=count * count).reshape(count, count)


def class_ious(found: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each class; NaN for one that neither has."""
    right = np.diag(found).astype(float)
    either = found.sum(0) + found.sum(1) - right
    return np.divide(right, either, np.full(len(found), np.nan), where=either > 0)


def mean_iou(found: NDArray[np.int64]) -> float:
    """The mean over the classes that occur, 0..1."""
    return float(np.nanmean(class_ious(found)))


def mean_accuracy(found: NDArray[np.int64]) -> float:
    """Share of each class's pixels that are right, in the mean of the classes."""
    sizes = found.sum(1)
    shares = np.diag(found)[sizes > 0] / sizes[sizes > 0]
    return float(shares.mean()) if len(shares) else float("nan")


def pixel_accuracy(found: NDArray[np.int64]) -> float:
    """Share of the pixels that are right."""
    return float(np.diag(found).sum() / max(1, found.sum()))
