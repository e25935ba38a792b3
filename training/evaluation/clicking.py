"""One object: a robot clicks, a method answers, every answer is measured."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask, ProbabilityMap
from napari_iseg.segmenter import Patch, Predictor, Segmenter
from training.datasets import BenchmarkObject
from training.metrics import (
    MOST,
    ClickCurve,
    boundary_iou,
    coverage,
    decidability_index,
    hamming_distance,
    iou,
)
from training.robots import RobotUser
from training.starts import degraded_start

Names: TypeAlias = tuple[str, str, str]  # method, data set, robot


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicking:
    """How an object is clicked on.

    Attributes
    ----------
    most
        The robot makes at most so many clicks.
    from_degraded
        The first click corrects a mask: the object's own ``start``, or the truth
        spoilt to an IoU of .75 to .85 (``training.starts``).
    with_others
        The other objects of the image are given as accepted already.
    is_oracle
        After every click the truth chooses among the method's hypotheses.
    """

    most: int = MOST
    from_degraded: bool = False
    with_others: bool = False
    is_oracle: bool = False


@dataclass(slots=True)
class Measures:
    """The series of a ``ClickCurve``, growing click by click."""

    ious: list[float] = field(default_factory=list)
    obeyed: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    boundary_ious: list[float] = field(default_factory=list)
    hamming: list[float] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    decidability: list[float] = field(default_factory=list)

    def add(
        self,
        found: BenchmarkObject,
        clicks: Clicks,
        probability: ProbabilityMap,
        times: tuple[float, float],
    ) -> Mask:
        """Measure an answer; the mask it stands for."""
        predicted = probability > 0.5
        truth, ignored = found.truth, found.ignored
        self.seconds.append(times[0])
        self.cpu_seconds.append(times[1])
        self.ious.append(iou(truth, predicted, ignored))
        self.obeyed.append(
            all(bool(predicted[c.row, c.column]) == c.is_positive for c in clicks)
        )
        self.boundary_ious.append(boundary_iou(truth, predicted, ignored))
        self.hamming.append(hamming_distance(truth, predicted, ignored))
        self.coverage.append(coverage(truth, predicted, ignored))
        self.decidability.append(
            decidability_index(probability, clicks, truth, ignored)
        )
        return predicted

    def series(self) -> dict[str, tuple[float | bool, ...]]:
        return {name: tuple(getattr(self, name)) for name in self.__slots__}


def click_curve(
    segmenter: Segmenter,
    found: BenchmarkObject,
    robot: RobotUser,
    names: Names,
    how: Clicking = Clicking(),
) -> ClickCurve:
    """A robot's clicks on one object. ``names``: method, data set, robot.

    The robot's chance depends on data set, object and robot, not on the method: every
    method is asked by the same user. The time of the first answer includes looking at
    the image (``prepare``); the robot's own time is not counted.
    """
    start = start_of(found, names) if how.from_degraded else None
    predicted = np.zeros_like(found.truth) if start is None else start
    start_iou = 0.0 if start is None else iou(found.truth, start, found.ignored)
    rng = np.random.default_rng(seeds_of(names[1], found.name, names[2]))
    asked = Asked(segmenter, found, start, how)
    clicks, measures = Clicks(), Measures()
    while len(clicks) < how.most:
        click = robot.next_click(found.truth, predicted, clicks, rng, found.ignored)
        if click is None:
            break
        clicks = clicks.adding(click)
        predicted = measures.add(found, clicks, asked.answer(clicks), asked.times)
    places = tuple((c.row, c.column, c.is_positive) for c in clicks)
    series: dict[str, Any] = measures.series()
    return ClickCurve(*names, found.name, **series, clicks=places, start_iou=start_iou)


def replayed(
    segmenter: Segmenter,
    found: BenchmarkObject,
    curve: ClickCurve,
    how: Clicking = Clicking(),
) -> Mask:
    """The mask after the first ``how.most`` clicks of ``curve``, ``(H, W)``.

    Found by asking once: an answer is a function of the clicks alone.
    """
    names = (curve.method, curve.data, curve.robot)
    start = start_of(found, names) if how.from_degraded else None
    clicks = Clicks(tuple(Click(*place) for place in curve.clicks[: how.most]))
    if not len(clicks):
        return np.zeros_like(found.truth) if start is None else start
    return Asked(segmenter, found, start, how).answer(clicks) > 0.5


class Asked:
    """A method that is asked about one object; its answers are timed."""

    def __init__(
        self,
        segmenter: Segmenter,
        found: BenchmarkObject,
        start: Mask | None,
        how: Clicking,
    ) -> None:
        self.segmenter, self.found, self.start, self.how = segmenter, found, start, how
        self.predictor: Predictor | None = None
        self.times = (0.0, 0.0)  # of the newest answer: wall and CPU seconds

    def answer(self, clicks: Clicks) -> ProbabilityMap:
        """The answer to ``clicks`` on the whole image, ``(H, W)``."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.predictor = self.predictor or self.prepared()
        patches = self.hypotheses(self.predictor, clicks)
        self.times = (time.perf_counter() - wall, time.process_time() - cpu)
        maps = [patch.on(self.predictor.grid) for patch in patches]
        return max(maps, key=self.true_iou) if len(maps) > 1 else maps[0]

    def prepared(self) -> Predictor:
        prior = None if self.start is None else self.start.astype(np.float32)
        others = self.found.others if self.how.with_others else None
        return self.segmenter.prepare(self.found.image, prior=prior, others=others)

    def hypotheses(self, predictor: Predictor, clicks: Clicks) -> list[Patch]:
        if not self.how.is_oracle:
            return [predictor.predict_patch(clicks)]
        return [patch for patch, _ in predictor.alternative_patches(clicks)]

    def true_iou(self, probability: ProbabilityMap) -> float:
        return iou(self.found.truth, probability > 0.5, self.found.ignored)


def start_of(found: BenchmarkObject, names: Names) -> Mask:
    """The mask to correct: the one that came with the object, or a spoilt truth."""
    if found.start is not None:
        return found.start
    rng = np.random.default_rng(seeds_of(names[1], found.name, "start"))
    return degraded_start(found.truth, rng, found.ignored)


def seeds_of(*words: str) -> list[int]:
    """The same numbers for the same words, on every machine."""
    return [zlib.crc32(word.encode()) for word in words]


def warm_up(predictor: Predictor) -> None:
    """The first answer of a process loads libraries: it is not timed."""
    predictor.predict_patch(Clicks.at(positive=[(0, 0)]))
