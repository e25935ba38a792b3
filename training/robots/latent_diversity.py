"""The robot of Latent Diversity."""

from __future__ import annotations

from dataclasses import dataclass

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import depth_of, wrong_pixels
from training.robots.places import drawn
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class LatentDiversity:
    """A wrong pixel, drawn in proportion to its distance to the boundary (LD eq. 8).

    Missing and surplus pixels are one set. While nothing is predicted, that set is the
    object: the first click is drawn over it.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        missing, surplus = wrong_pixels(truth, predicted, ignored)
        place = drawn(depth_of(missing | surplus, clicks), rng)
        return None if place is None else Click(*place, bool(truth[place]))
