"""Windows around the user's objects, as inference will show them to the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.windowed import Policy, useful
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.teaching.lesson import VOID, Example, Lesson, LessonPlane
from napari_iseg.widest_error import exact_distance
from napari_iseg.windows import Reader, Window, view

FIRST_LOOKS = 0.35  # of the batches: windows in which the object is looked for
WITH_NEIGHBOURS = 0.3  # of the windows show what is accepted already
OFF_CENTRE = 0.06  # of the extent: deviation of the window's middle
GAMMA, NOISE = 0.15, 0.02  # how much grey values vary


@dataclass(frozen=True, eq=False)
class View:
    """One window of an object; arrays are ``(N, N)``, ``image`` is ``(N, N, 3)``.

    ``counted`` is false where nobody may learn anything: void, and what is held out.
    ``outside`` is how much of the object lies beyond the window, in its pixels.
    """

    image: NDArray[np.float32]
    truth: Mask
    counted: Mask
    others: Mask
    first: Click
    outside: float


@dataclass(eq=False)
class Views:
    """Draws batches of views: the same ones for the same seed."""

    lesson: Lesson
    batch: int
    seed: int = 0
    policy: Policy = field(default_factory=Policy)

    def batches(self, number: int) -> Iterator[list[View]]:
        """All views of a batch have one side: that of first looks, or of later ones."""
        rng = np.random.default_rng((self.seed, 1))
        for _ in range(number):
            is_first = rng.random() < FIRST_LOOKS
            chosen = rng.integers(len(self.lesson.learnt), size=self.batch)
            yield [self.view(self.lesson.learnt[at], rng, is_first) for at in chosen]

    def view(self, example: Example, rng: np.random.Generator, is_first: bool) -> View:  # noqa: FBT001
        """A random window of an example, turned and with other contrast."""
        found = example.found
        first = place_in(found, rng)
        if is_first:
            extents = useful(self.policy.overviews, example.plane.image.grid)
            extent, side = rng.choice(extents), self.policy.overview_side
            window = Window.around(first.row, first.column, extent, side)
        else:
            window = around(found, first, self.policy, rng)
        seen = shown(example, window, held_in(self.lesson, example.plane), first)
        return varied(seen, rng)


def held_in(lesson: Lesson, plane: LessonPlane) -> list[SegmentedObject]:
    """What is held out of the image that ``plane`` is of, or is a part of."""
    return [one.found for one in lesson.held_out if one.plane.name == plane.name]


def place_in(found: SegmentedObject, rng: np.random.Generator) -> Click:
    """A pixel of the object, the likelier the deeper: people click inside."""
    depth = exact_distance(np.pad(found.mask, 1))[1:-1, 1:-1].astype(np.float64)
    at = int(rng.choice(depth.size, p=depth.ravel() / depth.sum()))
    row, column = divmod(at, depth.shape[1])
    return Click(found.box.top + row, found.box.left + column)


def around(
    found: SegmentedObject, first: Click, policy: Policy, rng: np.random.Generator
) -> Window:
    """As wide as a window is once there is a mask, give or take; holds the click."""
    box = found.box
    wide = rng.uniform(policy.tightest, policy.zoom + 0.5)
    extent = max(policy.smallest, wide * max(box.shape))
    row, column = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
    down, right = rng.normal(0, OFF_CENTRE * extent, 2)
    window = Window.around(row + down, column + right, extent, policy.side)
    if window.holds(first):
        return window
    return Window.around(row, column, extent, policy.side)


def shown(
    example: Example, window: Window, held: Sequence[SegmentedObject], first: Click
) -> View:
    """``window`` of the example's plane; ``held`` objects are kept from sight."""
    plane, found = example.plane, example.found
    offset = found.box.top, found.box.left
    truth = view(found.mask.astype(np.float32), offset, window) > 0.5
    inside = window.box.clipped_to(plane.image.grid)
    corner, labels = (inside.top, inside.left), plane.labels[inside.slices]
    hidden = np.isin(labels, [VOID, *(one.label for one in held)])
    others = (labels > 0) & (labels != found.label) & ~hidden
    row, column = window.point(first)
    most = window.side - 1
    return View(
        image=Reader(plane.image).show(window),
        truth=truth,
        counted=~(view(hidden.astype(np.float32), corner, window) > 0.5),
        others=view(others.astype(np.float32), corner, window) > 0.5,
        first=Click(min(max(round(row), 0), most), min(max(round(column), 0), most)),
        outside=max(0.0, found.area * window.scale**2 - float(truth.sum())),
    )


def varied(seen: View, rng: np.random.Generator) -> View:
    """Turned by right angles, mirrored, other contrast, a little noise."""
    turns, is_mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)

    def moved(array: NDArray[np.generic]) -> NDArray[np.generic]:
        turned = np.rot90(array, turns)
        return np.ascontiguousarray(turned[::-1] if is_mirrored else turned)

    at = np.zeros(seen.truth.shape, bool)
    at[seen.first.row, seen.first.column] = True
    row, column = np.argwhere(moved(at))[0]
    grey = np.clip(seen.image, 0, None) ** np.exp(rng.normal(0, GAMMA))
    noise = rng.uniform(0, NOISE) * rng.standard_normal((*seen.truth.shape, 1))
    image: NDArray[np.float32] = moved(grey + noise).astype(np.float32)
    shows = rng.random() < WITH_NEIGHBOURS
    return View(
        image,
        moved(seen.truth).astype(bool),
        moved(seen.counted).astype(bool),
        moved(seen.others & shows).astype(bool),
        Click(int(row), int(column)),
        seen.outside,
    )


def start_clicks(seen: View) -> Clicks:
    """The first click alone."""
    return Clicks((seen.first,))
