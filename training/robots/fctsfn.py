"""The robot of FCTSFN."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import deepest, depth_of
from training.robots.parts import largest_error
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class Fctsfn:
    """The deepest pixel of the largest connected missing or surplus part (FCTSFN 4.1).

    Missing and surplus pixels that touch are different parts.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,  # noqa: ARG002 - this robot knows no chance
        ignored: Mask | None = None,
    ) -> Click | None:
        found = largest_error(truth, predicted, clicks, ignored)
        if found is None:
            return None
        part, is_positive = found
        place = deepest(depth_of(part, clicks))
        return None if place is None else Click(*place, is_positive)
