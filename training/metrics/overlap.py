"""How well a mask covers the truth, pixel by pixel, besides its IoU."""

from __future__ import annotations

import numpy as np

from napari_iseg.arrays import Mask, ProbabilityMap


def hamming_distance(
    truth: Mask, predicted: Mask | ProbabilityMap, ignored: Mask | None = None
) -> float:
    """Share of the counted pixels that are wrong, 0..1 (RIS-Net 4.3, i).

    The paper's sum also takes probabilities: a pixel of probability p is wrong by
    1 - p in the object and by p outside. 0 if no pixel counts.
    """
    wrong = np.abs(truth.astype(np.float32) - predicted)
    return _mean(wrong if ignored is None else wrong[~ignored], empty=0.0)


def coverage(
    truth: Mask, predicted: Mask | ProbabilityMap, ignored: Mask | None = None
) -> float:
    """Share of the object that is covered, 0..1: the recall (RIS-Net 4.3, ii).

    With probabilities, their mean over the object. 1 if no pixel of it counts.
    """
    counted = truth if ignored is None else truth & ~ignored
    return _mean(predicted[counted], empty=1.0)


def _mean(values: Mask | ProbabilityMap, empty: float) -> float:
    return float(values.mean(dtype=np.float64)) if values.size else empty
