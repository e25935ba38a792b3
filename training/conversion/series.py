"""A robot corrects a converted network on a whole image, click by click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask, ProbabilityMap
from napari_iseg.intensities import ScaledImage
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.own_windows import OwnPredictor
from training.robots import ROBOTS


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An answer.

    Attributes
    ----------
    probability
        ``(H, W)``: of the foreground.
    click
        The one that led to it; None for the network's own answer, and where no wrong
        pixel was left to click.
    is_right
        Whether every clicked pixel carries its label.
    """

    probability: ProbabilityMap
    click: Click | None
    is_right: bool

    @property
    def mask(self) -> Mask:
        return self.probability > 0.5


@dataclass(frozen=True, slots=True)
class Robot:
    """Who clicks, and how often on each image; ``name`` is one of ``ROBOTS``."""

    name: str = "brs-paper"
    clicks: int = 5

    def series(
        self,
        segmenter: BRS,
        image: NDArray[Any] | ScaledImage,
        truth: Mask,
        ignored: Mask,
    ) -> list[Step]:
        """The network's own answer, and the one after each click.

        The answer is the whole foreground: ``make_interactive(..., whole=True)``.
        """
        predictor = segmenter.prepare(image)
        assert isinstance(predictor, OwnPredictor)
        steps = [Step(predictor.automatic(), None, is_right=True)]
        steps += self.corrections(predictor, steps[0], truth, ignored)
        return steps

    def corrections(
        self, predictor: OwnPredictor, first: Step, truth: Mask, ignored: Mask
    ) -> Iterator[Step]:
        newest, clicks, rng = first, Clicks(), np.random.default_rng(0)
        for _ in range(self.clicks):
            robot = ROBOTS[self.name]
            click = robot.next_click(truth, newest.mask, clicks, rng, ignored)
            if click is None:
                newest = Step(newest.probability, None, newest.is_right)
            else:
                clicks = clicks.adding(click)
                answer = predictor.predict(clicks)
                newest = Step(answer, click, carried(clicks, answer > 0.5))
            yield newest


def carried(clicks: Clicks, mask: Mask) -> bool:
    """Whether every clicked pixel is on its side."""
    return all(bool(mask[c.row, c.column]) == c.is_positive for c in clicks)
