"""From CVAT's prompts to objects with their clicks, in one fixed order.

CVAT sends boxes, positive and negative points as three lists: which came before which
is lost. Each box stands for one object, and every point belongs to the box nearest to
it (of nested ones the smallest). Without a box all points belong to one object. The
clicks of an object are its positive and negative points in turn, positive first, each
kind in the order it was given; the middle of a box is its first positive click until
it gets a point of its own. So whoever clicks anew most often only appends a click.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from napari_iseg.arrays import Grid
from napari_iseg.clicks import Click, Clicks
from napari_iseg.cvat.requests import BoxPrompt, Point, Prompts


@dataclass(frozen=True, slots=True)
class WantedObject:
    """One object: its clicks, all inside the image, and the box drawn around it."""

    clicks: Clicks
    box: BoxPrompt | None = None

    @property
    def is_boxed(self) -> bool:
        """Whether nothing was clicked positive outside of the box."""
        box = self.box
        return box is not None and all(
            box.distance(Point(click.column + 0.5, click.row + 0.5)) <= 1
            for click in self.clicks.positive
        )


def wanted_objects(prompts: Prompts, grid: Grid) -> tuple[WantedObject, ...]:
    """The objects that ``prompts`` ask for in an image of shape ``grid``.

    Points outside the image are left out, see ``outside``; so are objects without any
    positive click.
    """
    homes = prompts.boxes or (None,)
    found = (_object(home, prompts, grid) for home in homes)
    return tuple(one for one in found if one.clicks.positive)


def outside(prompts: Prompts, grid: Grid) -> int:
    """How many points cannot be clicks because the image does not reach there."""
    points = prompts.positive + prompts.negative
    return sum(point.click(grid) is None for point in points)


def _object(home: BoxPrompt | None, prompts: Prompts, grid: Grid) -> WantedObject:
    def clicks(points: Iterable[Point], *, is_positive: bool) -> list[Click]:
        own = (p for p in points if _home(p, prompts.boxes) is home)
        found = (point.click(grid, is_positive=is_positive) for point in own)
        return [click for click in found if click is not None]

    positive = clicks(prompts.positive, is_positive=True)
    negative = clicks(prompts.negative, is_positive=False)
    if home is not None and not positive:
        middle = home.middle.click(grid)
        positive = [] if middle is None else [middle]
    return WantedObject(Clicks(in_turn(positive, negative)), home)


def _home(point: Point, boxes: Sequence[BoxPrompt]) -> BoxPrompt | None:
    def nearness(box: BoxPrompt) -> tuple[float, float]:
        area = (box.right - box.left) * (box.bottom - box.top)
        return box.distance(point), area

    return min(boxes, key=nearness, default=None)


def in_turn(positive: Sequence[Click], negative: Sequence[Click]) -> tuple[Click, ...]:
    """One of each in turn, then what is left of the longer."""
    pairs = zip_longest(positive, negative)
    return tuple(click for click in chain.from_iterable(pairs) if click is not None)
