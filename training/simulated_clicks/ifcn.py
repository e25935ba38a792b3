"""The clicks of iFCN (Xu et al., CVPR 2016): positive ones, and three kinds of others.

The paper's own constants are not all known; ITIS (appendix A) and the code of LD say
which they used. Distances are in pixels of photographs. A cell may be smaller than the
distance that two clicks are to keep: ``scale_below`` shrinks them all with the object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from napari_iseg import Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import Place
from training.extent import radius_of
from training.simulated_clicks.places import (
    Rng,
    covering,
    depth_inside,
    distance_from,
    spaced,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ifcn:
    """How many clicks there are, and how far apart.

    Attributes
    ----------
    positive
        Fewest and most positive clicks, drawn evenly.
    around
        Fewest and most negative clicks, strategy 1: anywhere near the object.
    on_others
        The same on *each* other object, strategy 2.
    covering
        Clicks that cover the band around the object, strategy 3.
    margin
        Between a click and the outline, at least.
    step
        Between two clicks of one kind, at least.
    reach
        Width of the band around the object.
    is_around_bounded
        Whether strategy 1 keeps to that band; LD's code does not.
    scale_below
        Radius of a disc as large as the object; for smaller objects margin, step and
        reach shrink in proportion. 0: never.
    """

    positive: tuple[int, int] = (1, 5)
    around: tuple[int, int] = (0, 10)
    on_others: tuple[int, int] = (0, 5)
    covering: int = 10
    margin: float = 5.0
    step: float = 40.0
    reach: float = 40.0
    is_around_bounded: bool = True
    scale_below: float = 0.0

    def clicks(self, truth: Mask, others: list[Mask], rng: Rng) -> Clicks:
        """Positive clicks, and negative ones of a strategy drawn by lot.

        Parameters
        ----------
        truth
            ``(H, W)``; if it holds a pixel, there is at least one positive click.
        others
            ``(H, W)`` each: the other objects of the image.
        rng
            The same state gives the same clicks.
        """
        return self.of(str(rng.choice(list(STRATEGIES))), truth, others, rng)

    def of(self, strategy: str, truth: Mask, others: list[Mask], rng: Rng) -> Clicks:
        """The same with negative clicks of one of ``STRATEGIES``."""
        plan = self.scaled(truth)
        positive = plan.on_object(truth, rng)
        return Clicks.at(positive, STRATEGIES[strategy](plan, truth, others, rng))

    def scaled(self, truth: Mask) -> Ifcn:
        """The plan with distances that suit the object's size."""
        if not self.scale_below:
            return self
        share = min(1.0, radius_of(truth) / self.scale_below)
        return replace(
            self,
            margin=share * self.margin,
            step=share * self.step,
            reach=share * self.reach,
        )

    def on_object(self, truth: Mask, rng: Rng) -> list[Place]:
        """Positive clicks; in an object without room for the margin, its middle."""
        if not truth.any():
            return []
        depth = depth_inside(truth)
        allowed = depth >= min(self.margin, float(depth.max()))
        return spaced(allowed, number(self.positive, rng), self.step, rng)

    def band(self, truth: Mask) -> Mask:
        """The background near the object."""
        away = distance_from(truth)
        return (away >= max(self.margin, 1)) & (away <= self.reach)


def number(limits: tuple[int, int], rng: Rng) -> int:
    return int(rng.integers(limits[0], limits[1] + 1))


def near_object(plan: Ifcn, truth: Mask, _others: list[Mask], rng: Rng) -> list[Place]:
    """Strategy 1: random pixels of the background."""
    allowed = (
        plan.band(truth)
        if plan.is_around_bounded
        else distance_from(truth) >= max(plan.margin, 1)
    )
    return spaced(allowed, number(plan.around, rng), plan.step, rng)


def on_each_other(plan: Ifcn, truth: Mask, others: list[Mask], rng: Rng) -> list[Place]:
    """Strategy 2: random pixels of every other object."""
    found: list[Place] = []
    for other in others:
        depth = np.where(truth, 0, depth_inside(other))
        if depth.max() > 0:
            allowed = depth >= min(plan.margin, float(depth.max()))
            found += spaced(allowed, number(plan.on_others, rng), plan.step, rng)
    return found


def over_band(plan: Ifcn, truth: Mask, _others: list[Mask], rng: Rng) -> list[Place]:
    """Strategy 3: pixels that cover the band around the object."""
    return covering(plan.band(truth), plan.covering, rng)


Strategy: TypeAlias = Callable[[Ifcn, Mask, list[Mask], Rng], list[Place]]
STRATEGIES: Mapping[str, Strategy] = {
    "near object": near_object,
    "on each other": on_each_other,
    "over band": over_band,
}

ITIS = Ifcn()  # BMVC 2018, appendix A
LATENT_DIVERSITY = Ifcn(  # genIntSegPairs.m; never without a negative click
    positive=(1, 10),
    around=(1, 15),
    on_others=(1, 10),
    covering=15,
    step=10.0,
    is_around_bounded=False,
)
CELLS = replace(ITIS, scale_below=60.0)  # as large as the objects of photographs
