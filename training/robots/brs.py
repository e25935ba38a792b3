"""The robot that the BRS paper describes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import deepest, depth_of, wrong_pixels
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class BrsAsWritten:
    """The deepest pixel of the more frequent kind of error (BRS 4, protocol).

    Positive unless more pixels are surplus than missing. The other kind is clicked only
    where every pixel of the first has been clicked.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,  # noqa: ARG002 - this robot knows no chance
        ignored: Mask | None = None,
    ) -> Click | None:
        missing, surplus = wrong_pixels(truth, predicted, ignored)
        kinds = [(missing, True), (surplus, False)]
        if np.count_nonzero(surplus) > np.count_nonzero(missing):
            kinds.reverse()
        for errors, is_positive in kinds:
            place = deepest(depth_of(errors, clicks))
            if place is not None:
                return Click(*place, is_positive)
        return None
