"""What a network is taught from: accepted objects, some of which are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_iseg.arrays import Labels
from napari_iseg.intensities import ScaledImage
from napari_iseg.segmented_objects import SegmentedObject, objects_of

FEWEST = 6  # objects: three to learn from, three to see whether it helped
HELD_OUT = 0.3  # of the objects ...
LEAST_HELD, MOST_HELD = 3, 40  # ... but not fewer, and not more: a robot clicks on each
SMALLEST = 30  # pixels: smaller objects are specks, or slivers at the border
VOID = -1  # label of what is neither object nor background


@dataclass(frozen=True, eq=False)
class LessonPlane:
    """An image and its objects.

    Attributes
    ----------
    labels
        ``(H, W)``: an object's number, 0 for background, ``VOID`` for neither.
    wanted
        Numbers of the objects that count; the others are their neighbours. None: all.
    """

    name: str
    image: ScaledImage
    labels: Labels
    wanted: tuple[int, ...] | None = None

    @cached_property
    def objects(self) -> tuple[SegmentedObject, ...]:
        """Those that count, by their number; specks do not."""
        found = objects_of(np.maximum(self.labels, 0))
        return tuple(
            one
            for one in found
            if one.area >= SMALLEST
            and (self.wanted is None or one.label in self.wanted)
        )


@dataclass(frozen=True, eq=False)
class Example:
    """One object in its plane."""

    plane: LessonPlane
    found: SegmentedObject

    @property
    def size(self) -> int:
        """The longer side of its box, in pixels."""
        return max(self.found.box.shape)


@dataclass(frozen=True, eq=False)
class Lesson:
    """Examples to learn from, and others to see whether it helped."""

    learnt: tuple[Example, ...]
    held_out: tuple[Example, ...]

    @property
    def planes(self) -> list[str]:
        """Names of the planes, each once, sorted."""
        return sorted({e.plane.name for e in (*self.learnt, *self.held_out)})


def lesson_of(planes: Sequence[LessonPlane], seed: int = 0) -> Lesson:
    """Three in ten of the objects, drawn by lot, are held out.

    Raises
    ------
    ValueError
        If there are too few objects: says how many are needed.
    """
    examples = [Example(plane, one) for plane in planes for one in plane.objects]
    check_enough(len(examples))
    held = min(max(LEAST_HELD, round(HELD_OUT * len(examples))), MOST_HELD)
    order = np.random.default_rng(seed).permutation(len(examples))
    chosen = [examples[at] for at in order]
    return Lesson(tuple(chosen[held:]), tuple(chosen[:held]))


def check_enough(number: int) -> None:
    """ValueError if ``number`` objects are too few to teach."""
    if number < FEWEST:
        there = "is 1" if number == 1 else f"are {number}"
        raise ValueError(
            f"there {there} of the {FEWEST} objects that teaching needs at least; "
            f"segment and accept {FEWEST - number} more (of {SMALLEST} pixels or more)"
        )
