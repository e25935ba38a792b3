"""The robot of RIS-Net."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from training.robots.errors import without_clicked
from training.robots.parts import largest_error
from training.robots.places import centre_of
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
        if not len(clicks) and not predicted.any():
            return object_centre(truth, ignored)
        found = largest_error(truth, predicted, clicks, ignored)
        if found is None:
            return None
        region, is_positive = found
        return Click(*centre_of(region, without_clicked(region, clicks)), is_positive)


def object_centre(truth: Mask, ignored: Mask | None) -> Click | None:
    """A click on the middle of the whole object; None if no pixel of it counts."""
    known = truth if ignored is None else truth & ~ignored
    return Click(*centre_of(known, known)) if known.any() else None
