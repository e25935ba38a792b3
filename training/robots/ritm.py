"""The robot of RITM and f-BRS, the field's de-facto protocol."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import next_click
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
        return next_click(truth, predicted, clicks, ignored)
