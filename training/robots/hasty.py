"""The robot that clicks while a network is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import deeper_error
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class Hasty:
    """Anywhere in the deeper half of the deepest error: a person in a hurry."""

    share: float = 0.5  # of the greatest depth

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        depth, is_positive = deeper_error(truth, predicted, clicks, ignored)
        if depth.max() <= 0:
            return None
        near = np.flatnonzero(depth > depth.max() * self.share)
        row, column = np.unravel_index(int(rng.choice(near)), depth.shape)
        return Click(int(row), int(column), is_positive)
