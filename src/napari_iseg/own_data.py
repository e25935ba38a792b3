"""Which method needs fewest clicks on masks that a user accepted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

import numpy as np

from napari_iseg.arrays import Box, ImageLike, Mask
from napari_iseg.click_curve import MOST, ClickCurve
from napari_iseg.clicks import Click, Clicks
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import Patch, Predictor, Segmenter
from napari_iseg.widest_error import iou, next_click

EARLY = 0.85  # IoU with the user's mask
TARGET = 0.9
DRAWS = 2000  # of objects, to see what chance does
FEW = 5  # fewer objects can all agree by chance (1 in 16 for four)
ROBOT = "ritm"  # whose rule ``next_click`` is

# ------------------------------------------------------------------- the clicks


@dataclass(frozen=True, slots=True)
class OwnPlane:
    """A plane with accepted objects; ``image`` is called when it is first needed."""

    name: str
    image: Callable[[], ImageLike]
    objects: tuple[SegmentedObject, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A method that could not answer, and why; it is left out of what follows."""

    method: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one answer brought; ``outcome`` if it was the last one of an object.

    ``done`` of ``total`` objects are finished, each counted once for every method.
    """

    done: int
    total: int
    method: str
    outcome: ClickCurve | Failed | None = None


def comparison(
    planes: Sequence[OwnPlane],
    methods: Sequence[str],
    build: Callable[[str], Segmenter],
) -> Iterator[Step]:
    """Let every method answer a robot's clicks on every object, answer by answer.

    Every method is done with an object before the next one is begun, in an order that
    is drawn once: what was found until it is stopped stands for all. The robot is
    ``next_click``; it ends at ``TARGET`` or after ``MOST`` clicks. Nothing is computed
    before the first step is asked for, and nothing between two steps.

    Parameters
    ----------
    build
        Makes a method of its name; called when it is first needed.

    Raises
    ------
    ValueError
        If there is no accepted object or no method; at once, before the first step.
    """
    if not any(plane.objects for plane in planes):
        raise ValueError(
            "there is no accepted object to compare on; segment a few objects and "
            "accept each (Enter), then compare again"
        )
    if not methods:
        raise ValueError("no method is chosen; tick those that you want to compare")
    return _steps(planes, tuple(dict.fromkeys(methods)), build)


def _steps(
    planes: Sequence[OwnPlane],
    methods: Sequence[str],
    build: Callable[[str], Segmenter],
) -> Iterator[Step]:
    done, failed = 0, set[str]()
    total = len(methods) * sum(len(plane.objects) for plane in planes)
    for plane in planes:
        bench = _Bench(plane, build, failed)
        for found, method in product(_drawn(plane.objects), methods):
            outcome = None
            for outcome in bench.attempt(method, found):
                if outcome is None:
                    yield Step(done, total, method)
            done += 1
            yield Step(done, total, method, outcome)


def _drawn(objects: Sequence[SegmentedObject]) -> list[SegmentedObject]:
    order = np.random.default_rng(0).permutation(len(objects))
    return [objects[at] for at in order]


class _Bench:
    """Methods that look at one plane; those in ``failed`` are asked no more."""

    def __init__(
        self, plane: OwnPlane, build: Callable[[str], Segmenter], failed: set[str]
    ) -> None:
        self._plane = plane
        self._build = build
        self._failed = failed
        self._predictors: dict[str, Predictor] = {}

    def attempt(
        self, method: str, found: SegmentedObject
    ) -> Iterator[ClickCurve | Failed | None]:
        """None after each answer, then what came of it; nothing if asked no more."""
        if method in self._failed:
            return
        names = method, self._plane.name, ROBOT, str(found.label)
        empty = curve = ClickCurve(*names, (), (), ())
        try:
            for so_far in answered(self._predictor(method), found, empty):
                curve = so_far
                yield None
        except Exception as problem:  # noqa: BLE001 - told together with its method
            self._failed.add(method)
            yield Failed(method, str(problem) or type(problem).__name__)
        else:
            yield curve

    def _predictor(self, method: str) -> Predictor:
        if method not in self._predictors:
            segmenter = self._build(method)
            self._predictors[method] = segmenter.prepare(self._plane.image())
        return self._predictors[method]


def answered(
    predictor: Predictor, found: SegmentedObject, curve: ClickCurve
) -> Iterator[ClickCurve]:
    """``curve``, empty at first, after each answer about one object.

    Nothing as large as the image is made: robot and measure see the box that holds
    truth and answer, outside of which nothing is wrong.
    """
    clicks, sight = Clicks(), Sight.of(found, None)
    while len(clicks) < MOST and curve.clicks_to(TARGET) is None:
        click = sight.next_click(clicks)
        if click is None:
            break
        clicks = clicks.adding(click)
        began = time.perf_counter()
        patch = predictor.predict_patch(clicks)
        seconds = time.perf_counter() - began
        sight = Sight.of(found, patch)
        curve = replace(
            curve,
            ious=(*curve.ious, iou(sight.truth, sight.predicted)),
            obeyed=(*curve.obeyed, _is_obeyed(patch, clicks)),
            seconds=(*curve.seconds, seconds),
            clicks=(*curve.clicks, (click.row, click.column, click.is_positive)),
        )
        yield curve


def _is_obeyed(patch: Patch, clicks: Clicks) -> bool:
    return all((patch.at(c.row, c.column) > 0.5) == c.is_positive for c in clicks)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Truth and answer in the smallest box that holds both."""

    box: Box
    truth: Mask
    predicted: Mask

    @classmethod
    def of(cls, found: SegmentedObject, patch: Patch | None) -> Sight:
        box = found.box if patch is None else found.box.union(patch.box)
        truth, predicted = np.zeros(box.shape, bool), np.zeros(box.shape, bool)
        truth[found.box.moved(-box.top, -box.left).slices] = found.mask
        if patch is not None:
            predicted[patch.box.moved(-box.top, -box.left).slices] = patch.mask()
        return cls(box, truth, predicted)

    def next_click(self, clicks: Clicks) -> Click | None:
        """As on the whole image: the click of ``widest_error.next_click``."""
        top, left = self.box.top, self.box.left
        height, width = self.box.shape
        moved = (Click(c.row - top, c.column - left, c.is_positive) for c in clicks)
        inside = Clicks(
            tuple(c for c in moved if 0 <= c.row < height and 0 <= c.column < width)
        )
        click = next_click(self.truth, self.predicted, inside)
        return click and replace(click, row=click.row + top, column=click.column + left)


# ------------------------------------------------------------------ what they say


@dataclass(frozen=True, slots=True)
class Standing:
    """A method on the user's objects: clicks it needed for each, 21 for never.

    ``clicks`` are those to an IoU of ``TARGET``, ``early`` those to ``EARLY``.
    """

    method: str
    clicks: tuple[int, ...]
    early: tuple[int, ...]
    first_iou: float
    milliseconds: float

    @property
    def mean_clicks(self) -> float:
        return float(np.minimum(self.clicks, MOST).mean())

    @property
    def mean_early(self) -> float:
        return float(np.minimum(self.early, MOST).mean())

    @property
    def never(self) -> int:
        return sum(clicks > MOST for clicks in self.clicks)


def standings(curves: Sequence[ClickCurve]) -> list[Standing]:
    """Fewest clicks first; only objects that every method was measured on."""
    groups: dict[str, dict[tuple[str, str], ClickCurve]] = {}
    for curve in curves:
        groups.setdefault(curve.method, {})[curve.data, curve.sample] = curve
    if not groups:
        return []
    shared = sorted(set.intersection(*(set(group) for group in groups.values())))
    found = [
        standing(method, [group[one] for one in shared])
        for method, group in groups.items()
        if shared
    ]
    return sorted(found, key=lambda one: (one.mean_clicks, one.never, one.method))


def standing(method: str, curves: Sequence[ClickCurve]) -> Standing:
    """What ``curves`` of one method amount to; at least one curve."""
    return Standing(
        method,
        _clicks_to(TARGET, curves),
        _clicks_to(EARLY, curves),
        float(np.mean([curve.after(1) for curve in curves])),
        float(np.median([s for curve in curves for s in curve.seconds]) * 1e3),
    )


def _clicks_to(target: float, curves: Sequence[ClickCurve]) -> tuple[int, ...]:
    reached = [curve.clicks_to(target) for curve in curves]
    return tuple(MOST + 1 if clicks is None else clicks for clicks in reached)


def verdict(ranked: Sequence[Standing]) -> str:
    """One sentence: which method needs fewest clicks, and whether that is certain."""
    if not ranked:
        return "There is nothing to compare: no object was measured with every method."
    best, *others = ranked
    number = len(best.clicks)
    objects = "object" if number == 1 else f"{number} objects"
    said = (
        f"On your {objects} '{best.method}' needs {best.mean_clicks:.1f} clicks "
        f"on average to an IoU of {TARGET:.0%} with your masks"
    )
    if not others:
        return f"{said}."
    second = others[0]
    behind = f"the next best is '{second.method}' with {second.mean_clicks:.1f}"
    if is_certain(best, second):
        return f"{said}, fewest of all; {behind}."
    return f"{said}; {behind}, too close to call with so few objects."


def is_certain(best: Standing, second: Standing) -> bool:
    """Whether the order survives other draws of the same objects, in 95 % of them."""
    apart = np.minimum(second.clicks, MOST) - np.minimum(best.clicks, MOST)
    if len(apart) < FEW:
        return False
    rng = np.random.default_rng(0)
    means = rng.choice(apart, (DRAWS, len(apart))).mean(axis=1)
    return bool(np.quantile(means, 0.05) > 0)


class Accepted(Protocol):
    """An accepted object of a session or of a click log."""

    @property
    def clicks(self) -> Clicks: ...
    @property
    def method(self) -> str: ...


def of_the_user(objects: Sequence[Accepted]) -> list[str]:
    """What the user did; and whose masks these are, since that flatters a method."""
    clicked = [one for one in objects if len(one.clicks)]
    if not clicked:
        return []
    mean = np.mean([len(one.clicks) for one in clicked])
    ((method, number),) = Counter(one.method for one in clicked).most_common(1)
    return [
        f"You made {mean:.1f} clicks an object.",
        f"{number} of the {len(clicked)} masks were made with '{method}', which "
        "favours it: masks drawn by hand would be a fairer judge.",
    ]
