"""The clicks of BRS (CVPR 2019): medoids of the object and of what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_iseg import Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import Place
from training.extent import radius_of
from training.simulated_clicks.places import Places, Rng, distance_from

ROUNDS = 20  # of the search for medoids; a handful is usual
CONSIDERED = 600  # pixels, drawn by lot where there are more


@dataclass(frozen=True, slots=True, kw_only=True)
class Medoids:
    """How many clicks there are, and where the negative ones may lie.

    Attributes
    ----------
    positive, negative
        Fewest and most clicks, drawn evenly.
    band
        Least and greatest distance of a negative click to the object, in pixels.
    scale_below
        Radius of a disc as large as the object; for smaller objects the band shrinks in
        proportion. 0: never.
    """

    positive: tuple[int, int] = (1, 10)
    negative: tuple[int, int] = (0, 10)
    band: tuple[float, float] = (5.0, 40.0)
    scale_below: float = 0.0

    def clicks(self, truth: Mask, _others: list[Mask], rng: Rng) -> Clicks:
        """Clicks on the object and around it; others play no part. As ``Ifcn.clicks``.

        Never two on one pixel: fewer clicks where there are fewer pixels.
        """
        positive = int(rng.integers(self.positive[0], self.positive[1] + 1))
        negative = int(rng.integers(self.negative[0], self.negative[1] + 1))
        away = distance_from(truth)
        share = 1.0
        if self.scale_below:
            share = min(1.0, radius_of(truth) / self.scale_below)
        low, high = (share * limit for limit in self.band)
        band = (away >= max(low, 1)) & (away <= high)
        return Clicks.at(
            medoids(np.argwhere(truth), positive, rng),
            medoids(np.argwhere(band), negative, rng),
        )


def medoids(places: Places, number: int, rng: Rng) -> list[Place]:
    """The ``number`` places that are nearest to all (k-medoids, alternating).

    From a start by lot: every place goes to its nearest medoid, every group chooses the
    place with the least sum of distances, until nothing changes.
    """
    if len(places) > CONSIDERED:
        drawn = rng.choice(len(places), CONSIDERED, replace=False)
        places = places[np.sort(drawn)]
    number = min(number, len(places))
    if not number:
        return []
    away = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    chosen = np.sort(rng.choice(len(places), number, replace=False))
    for _ in range(ROUNDS):
        groups = away[:, chosen].argmin(1)
        better = np.array([middle_of(away, groups == g) for g in range(number)])
        if (better == chosen).all():
            break
        chosen = better
    return [(int(row), int(column)) for row, column in places[chosen]]


def middle_of(away: np.ndarray, group: Mask) -> int:
    """The member with the least sum of distances to the others."""
    members = np.flatnonzero(group)
    sums = away[np.ix_(members, members)].sum(1)
    return int(members[sums.argmin()])


BRS = Medoids()
