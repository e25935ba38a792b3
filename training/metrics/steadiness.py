"""Whether clicks are obeyed, and whether one more click does harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from napari_iseg.click_curve import ClickCurve

MARGIN = 0.005  # a smaller loss of IoU is no drop


@dataclass(frozen=True, slots=True)
class Drops:
    """Clicks after which the IoU was lower than before.

    Attributes
    ----------
    share
        Of all clicks that followed an answer or a start, 0..1.
    per_object
        How many an object has, on average.
    depth
        How much IoU a drop costs, on average; 0 if there is none.
    deepest
        The largest loss.
    """

    share: float
    per_object: float
    depth: float
    deepest: float


def drops(curves: Sequence[ClickCurve], margin: float = MARGIN) -> Drops:
    """How often and how far the IoU falls by more than ``margin`` after a click.

    The first click can only do harm where there is a mask to start from.
    """
    changes = [change for curve in curves for change in _changes(curve)]
    losses = [-change for change in changes if change < -margin]
    if not losses:
        return Drops(0.0, 0.0, 0.0, 0.0)
    return Drops(
        len(losses) / len(changes),
        len(losses) / len(curves),
        float(np.mean(losses)),
        max(losses),
    )


def _changes(curve: ClickCurve) -> list[float]:
    values = (curve.start_iou, *curve.ious) if curve.start_iou else curve.ious
    return [b - a for a, b in pairwise(values)]


def obedience(curves: Sequence[ClickCurve]) -> float:
    """Share of answers in which every clicked pixel carries its label, 0..1."""
    answers = [obeyed for curve in curves for obeyed in curve.obeyed]
    return float(np.mean(answers)) if answers else 1.0


def contradicted(curves: Sequence[ClickCurve]) -> float:
    """Share of objects whose last answer contradicts a click, 0..1 (GPCIS' NoIC)."""
    broken = [not curve.obeyed[-1] for curve in curves if curve.obeyed]
    return float(np.mean(broken)) if broken else 0.0
