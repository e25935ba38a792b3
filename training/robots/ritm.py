"""The robot of RITM and f-BRS, the field's de-facto protocol."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from training.robots.errors import deeper_error
from training.robots.places import deepest
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class Ritm:
    """The field's de-facto protocol: the deepest wrong pixel, first maximum.

    Positive only if the missing part is deeper than the surplus one. The released code
    of BRS clicks by the same rule.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,  # noqa: ARG002 - this robot knows no chance
        ignored: Mask | None = None,
    ) -> Click | None:
        depth, is_positive = deeper_error(truth, predicted, clicks, ignored)
        place = deepest(depth)
        return None if place is None else Click(*place, is_positive)
