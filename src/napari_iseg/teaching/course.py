"""From a lesson to weights that are kept if a robot needs fewer clicks with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import napari_iseg
from napari_iseg.catalog import ENTRIES, weights_file
from napari_iseg.click_curve import ClickCurve
from napari_iseg.own_data import (
    EARLY,
    ROBOT,
    TARGET,
    Standing,
    answered,
    is_certain,
    standing,
)
from napari_iseg.segmenter import Segmenter
from napari_iseg.taught import check_free, is_taught, keep, new_path
from napari_iseg.teaching.learning import Pace, Tensors, learnt, segmenter_of
from napari_iseg.teaching.lesson import Example, Lesson
from napari_iseg.teaching.methods import check_teachable
from napari_iseg.weights import (
    Results,
    WeightsCard,
    read_card,
    read_tensors,
    sha256_of,
)


@dataclass(frozen=True, slots=True)
class News:
    """How far a course is: ``stage`` is "before", "learning" or "after"."""

    stage: str
    done: int
    total: int


Tell = Callable[[News], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is taught, and where the result goes.

    Attributes
    ----------
    method
        Whose weights are the start: "cells", or a taught method like "cells+my worms".
    name
        Of the new weights; ``METHOD+NAME`` is what they are called afterwards.
    weights
        A safetensors file to begin from instead of the method's own.
    output
        Where to write the new weights; None: among those that the user taught.
    """

    method: str = "cells"
    name: str = "my cells"
    weights: Path | None = None
    output: Path | None = None
    device: str = "cpu"
    pace: Pace = field(default_factory=Pace)

    def begin(self) -> tuple[Path, Path]:
        """Weights to begin from, and where the new ones go.

        Raises
        ------
        ValueError
            If the method has no network that can be taught, weights are missing, or
            there is a file of the new name already.
        """
        base = check_teachable(self.method)
        output = new_path(base, self.name) if self.output is None else self.output
        if self.output is not None:
            check_free(self.output)
        begin = weights_file(self.method, self.weights)
        assert begin is not None  # every teachable method has weights
        return begin, output


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a course brought; ``path`` is None if the old weights are as good."""

    learnt: int
    before: Standing
    after: Standing
    path: Path | None

    def sentence(self) -> str:
        """What to tell the user."""
        held = len(self.before.clicks)
        what = (
            f"on {held} objects that were held out a robot needs "
            f"{self.after.mean_clicks:.2f} clicks to an IoU of {TARGET:.0%} after "
            f"learning from {self.learnt} objects, {self.before.mean_clicks:.2f} before"
        )
        if self.path is None:
            return f"Not kept: {what}. Accept more objects and try again."
        sure = is_certain(self.after, self.before)
        doubt = "" if sure else " (so few objects may say so by chance)"
        return f"Kept as '{self.path.stem}': {what}{doubt}."


def taught(course: Course, lesson: Lesson, tell: Tell) -> Outcome:
    """Teach, compare on the held-out objects, keep the weights if they are better.

    Raises
    ------
    ValueError
        As ``Course.begin``, or if memory runs out.
    """
    begin, output = course.begin()
    tensors = read_tensors(begin)
    with memory_told():
        before, after, new = compared(course, tensors, lesson, tell)
    is_better = after.mean_clicks < before.mean_clicks
    outcome = Outcome(len(lesson.learnt), before, after, output if is_better else None)
    if is_better:
        from safetensors.numpy import save

        def card(sha256: str, size: int) -> WeightsCard:
            return card_of(course, begin, lesson, outcome, (output.name, sha256, size))

        keep(output, save(dict(new)), card)
    return outcome


def compared(
    course: Course, tensors: Tensors, lesson: Lesson, tell: Tell
) -> tuple[Standing, Standing, Tensors]:
    """How the robot fares before and after, and the new tensors as they are kept."""
    device, total = course.device, course.pace.steps
    before = fared(segmenter_of(tensors, device), lesson.held_out, "before", tell)
    new = learnt(
        tensors, lesson, course.pace, device, lambda n: tell(News("learning", n, total))
    )
    after = fared(segmenter_of(new, device), lesson.held_out, "after", tell)
    return before, after, new


def fared(
    segmenter: Segmenter, examples: Sequence[Example], stage: str, tell: Tell
) -> Standing:
    """A robot's clicks on every example, to ``TARGET`` or twenty."""
    predictors: dict[Any, Any] = {}
    curves = []
    for done, example in enumerate(examples):
        tell(News(stage, done, len(examples)))
        plane, found = example.plane, example.found
        if plane not in predictors:
            predictors[plane] = segmenter.prepare(plane.image)  # type: ignore[arg-type]  # a ScaledImage is taken, too
        curve = ClickCurve(stage, plane.name, ROBOT, str(found.label), (), (), ())
        for so_far in answered(predictors[plane], found, curve):
            curve = so_far
        curves.append(curve)
    tell(News(stage, len(examples), len(examples)))
    return standing(stage, curves)


@contextmanager
def memory_told() -> Iterator[None]:
    """A sentence instead of torch's page when memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        said = str(problem).lower()
        if isinstance(problem, MemoryError) or any(
            sign in said for sign in ("out of memory", "can't allocate memory")
        ):
            raise ValueError(
                "memory ran out while teaching; close other programs, or teach on the "
                "device 'cpu'"
            ) from problem
        raise


# ---------------------------------------------------------------------- the card


def card_of(
    course: Course,
    begin: Path,
    lesson: Lesson,
    outcome: Outcome,
    file: tuple[str, str, int],
) -> WeightsCard:
    """The card of weights ``file``: its name, sha256 and size in bytes."""
    old = beside(course, begin)
    number = len(lesson.learnt)
    own = f"{number} objects of the user in {', '.join(lesson.planes)}"
    return WeightsCard(
        *file,
        licence=f"the user's own; begun from weights under {old.licence}"
        if old
        else "the user's own",
        trained_on=(*(old.trained_on if old else ()), own),
        recipe=f"taught for {course.pace.steps} steps from {course.method} "
        f"(sha256 {sha256_of(begin)})",
        revision=f"napari-iseg {napari_iseg.__version__}",
        results=results_of(outcome),
        limits="Made for cells like these: others may need more clicks than with the "
        "weights that it began from.",
    )


def beside(course: Course, begin: Path) -> WeightsCard | None:
    """The card of the weights that a course begins from, if they have one."""
    if course.weights is None and not is_taught(course.method):
        return ENTRIES[course.method].weights_card()
    card = begin.with_suffix(".json")
    return read_card(card) if card.is_file() else None


def results_of(outcome: Outcome) -> Results:
    """Clicks before and after on the held-out objects, for the card."""
    return {
        f"own objects that were held out, {when}": {
            "robot": ROBOT,
            "objects": len(found.clicks),
            "iou@1": round(found.first_iou, 4),
            f"noc{EARLY * 100:.0f}": round(found.mean_early, 4),
            f"noc{TARGET * 100:.0f}": round(found.mean_clicks, 4),
            f"failures{TARGET * 100:.0f}": round(found.never / len(found.clicks), 4),
        }
        for when, found in (("before", outcome.before), ("after", outcome.after))
    }
