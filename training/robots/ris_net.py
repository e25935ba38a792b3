"""The robot of RIS-Net."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from training.robots.parts import largest_error
from training.robots.places import centre_of, without_clicked
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class RisNet:
    """The object's centre, then the middle of the largest wrong region (RIS-Net 4.1).

    Centre and middle: the pixel nearest to the mean position of all.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,  # noqa: ARG002 - this robot knows no chance
        ignored: Mask | None = None,
    ) -> Click | None:
        known, answered = truth, predicted
        if ignored is not None:
            known, answered = truth & ~ignored, predicted & ~ignored
        if known.any() and not len(clicks) and not answered.any():
            return Click(*centre_of(known, known))
        found = largest_error(truth, predicted, clicks, ignored)
        if found is None:
            return None
        region, is_positive = found
        return Click(*centre_of(region, without_clicked(region, clicks)), is_positive)
