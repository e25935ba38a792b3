"""What a user has annotated in one plane so far; predicts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

import numpy as np

from napari_iseg.answers import Answers, Contexts, Request
from napari_iseg.arrays import Box, Grid, Labels, Mask
from napari_iseg.clicks import Click, Clicks
from napari_iseg.found_objects import beside, taken_by
from napari_iseg.history import History
from napari_iseg.segmented_objects import (
    Others,
    SegmentedObject,
    cropped,
    painted,
    with_pixels,
    without_pixels,
)
from napari_iseg.segmenter import Patch

__all__ = ["Annotation", "Others", "Overlap", "Request", "SegmentedObject", "Session"]


class Overlap(Enum):
    """Who gets a pixel that an accepted object and an earlier one both claim."""

    KEEP = "keep"  # the earlier object
    OVERWRITE = "overwrite"  # the object that is being accepted


@dataclass(frozen=True, slots=True)
class Annotation:
    """All that undo and redo bring back."""

    label: int
    clicks: Clicks = Clicks()
    hypothesis: int = 0
    prior: Patch | None = None
    objects: tuple[SegmentedObject, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether no object is in progress."""
        return len(self.clicks) == 0 and self.prior is None


class Session:
    """The clicks on the object in progress, and the objects accepted so far.

    Parameters
    ----------
    grid
        Height and width of the plane in pixels.
    threshold
        A pixel with a higher probability belongs to the object.
    overlap
        What accepting does to pixels that belong to another object.
    first_label
        The label of the first object; later ones count up.
    method
        Name of the method whose answers are delivered.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    ``threshold``, ``overlap`` and ``method`` may be changed at any time; that is no
    undo step. Everything else goes through the methods below, and each of those that
    changes something is one undo step. Belongs to one thread.
    """

    def __init__(
        self,
        grid: Grid,
        *,
        threshold: float = 0.5,
        overlap: Overlap = Overlap.KEEP,
        first_label: int = 1,
        method: str = "cells",
    ) -> None:
        height, width = grid
        if height < 1 or width < 1:
            raise ValueError(f"an image needs at least one pixel, got {grid}")
        if not 0 <= threshold < 1:
            raise ValueError(f"a threshold is in 0..1 (below 1), got {threshold}")
        if first_label < 1:
            raise ValueError(f"labels start at 1 (0 is background), got {first_label}")
        self.grid: Grid = (int(height), int(width))
        self.threshold = threshold
        self.overlap = overlap
        self.method = method
        self._first_label = first_label
        self._history = History(Annotation(first_label))
        self._answers = Answers()
        self._contexts = Contexts()
        self._image_version = 0
        self._objects: tuple[object, Mapping[int, SegmentedObject]] | None = None

    # What there is

    @property
    def clicks(self) -> Clicks:
        return self._state.clicks

    @property
    def label(self) -> int:
        """The label that the object in progress will have."""
        return self._state.label

    @property
    def hypothesis(self) -> int:
        """Which of the alternatives is the answer; 0 is the best one."""
        return self._state.hypothesis

    @property
    def prior(self) -> Patch | None:
        """The segmentation that the clicks correct; None for an object from scratch."""
        return self._state.prior

    @property
    def objects(self) -> Mapping[int, SegmentedObject]:
        """Accepted objects by label, oldest first; a snapshot."""
        kept = self._state.objects
        if self._objects is None or self._objects[0] is not kept:
            by_label = MappingProxyType({one.label: one for one in kept})
            self._objects = (kept, by_label)
        return self._objects[1]

    def object_at(self, row: int, column: int) -> SegmentedObject | None:
        """The accepted object that a pixel belongs to; None if it is background."""
        for one in self._state.objects:
            box = one.box
            inside = box.top <= row < box.bottom and box.left <= column < box.right
            if inside and one.mask[row - box.top, column - box.left]:
                return one
        return None

    @property
    def is_blank(self) -> bool:
        """Whether no object is in progress."""
        return self._state.is_blank

    # Clicks on the object in progress

    def click(self, click: Click) -> None:
        """Add a click; ValueError if it is outside the image."""
        self._change_clicks(self.clicks.adding(click))

    def remove(self, click: Click) -> None:
        """As if ``click`` had never been made; ValueError if it was not."""
        self._change_clicks(self.clicks.without(click))

    def replace(self, old: Click, new: Click) -> None:
        """As if ``new`` had been made instead; ValueError if impossible."""
        self._change_clicks(self.clicks.replacing(old, new))

    def clear(self) -> None:
        """Drop the object in progress; its label stays in use for the next one."""
        self._do(
            Annotation(self.label, objects=self._state.objects),
        )

    def choose(self, index: int) -> None:
        """Take another of the alternatives; the next click corrects that one.

        Raises
        ------
        ValueError
            If there is no such alternative (yet).
        """
        there = len(self.alternatives)
        if not 0 <= index < there:
            raise ValueError(
                f"there is no alternative {index + 1}: the object in progress has "
                f"{there}"
            )
        self._do(replace(self._state, hypothesis=index))

    # Predictions

    @property
    def wanted(self) -> Request | None:
        """The prediction that is missing, or None.

        Without clicks nothing is missing: a prior is then the answer itself.
        """
        request = self._request()
        if len(request.clicks) == 0 or request in self._answers:
            return None
        return request

    def deliver(self, request: Request, answers: Sequence[tuple[Patch, float]]) -> None:
        """Keep the answer to ``request``, best hypothesis first.

        A late answer is shown only if the user comes back to its clicks.

        Raises
        ------
        ValueError
            If there is no answer or a patch leaves the image.
        """
        if not answers:
            raise ValueError("an answer needs at least one patch, got none")
        for patch, _ in answers:
            if patch.box.clipped_to(self.grid) != patch.box:
                raise ValueError(
                    f"a patch at {patch.box} leaves the image of "
                    f"{self.grid[0]} x {self.grid[1]} pixels"
                )
        self._answers.keep(request, tuple(answers))

    def image_changed(self) -> None:
        """Forget what was predicted: the same clicks are asked again."""
        self._image_version += 1

    @property
    def alternatives(self) -> list[tuple[Patch, float]]:
        """Every hypothesis with its score in 0..1, best first; empty while missing."""
        state = self._state
        if len(state.clicks) == 0:
            return [] if state.prior is None else [(state.prior, 1.0)]
        return list(self._answers.to(self._request()))

    @property
    def answer(self) -> Patch | None:
        """The chosen hypothesis for these clicks; None while it is missing."""
        hypotheses = self.alternatives
        if not hypotheses:
            return None
        return hypotheses[min(self.hypothesis, len(hypotheses) - 1)][0]

    @property
    def mask(self) -> tuple[Box, Mask] | None:
        """The object in progress, cropped to its pixels.

        None while the answer is missing, and if it is empty.
        """
        patch = self.answer
        return None if patch is None else cropped(patch, self.threshold)

    @property
    def unsatisfied(self) -> tuple[Click, ...]:
        """Clicks whose pixel does not carry their label; none while it is missing.

        Of several clicks on one pixel the last one counts.
        """
        patch = self.answer
        if patch is None:
            return ()
        latest = {(click.row, click.column): click for click in self.clicks}
        return tuple(
            click
            for click in latest.values()
            if (patch.at(click.row, click.column) > self.threshold) != click.is_positive
        )

    # Objects

    def accept(self) -> SegmentedObject:
        """Finish the object in progress and go on to the next.

        Raises
        ------
        ValueError
            If there is nothing to accept, it is not predicted yet, it is empty or all
            of its pixels belong to other objects that are to be kept.
        """
        state = self._state
        box, mask = self._acceptable()
        if self.overlap is Overlap.KEEP:
            mask = mask & ~self.others_in(box)
            objects = state.objects
        else:
            objects = tuple(without_pixels(state.objects, box, mask))
        accepted = with_pixels(
            box,
            mask,
            SegmentedObject(
                state.label,
                state.clicks,
                box,
                mask,
                self.method,
                state.hypothesis,
                state.prior,
            ),
        )
        if accepted is None:
            raise ValueError(
                "every pixel of this object belongs to other objects already; click "
                "elsewhere, or let it overwrite them"
            )
        kept = (*objects, accepted)
        self._do(Annotation(self._label_after(kept), objects=kept))
        return accepted

    def reopen(self, label: int) -> None:
        """Work on an accepted object again, with its clicks.

        An object without clicks (merged, or from existing labels) comes back as a
        prior: clicks correct it.

        Raises
        ------
        ValueError
            If there is no such object, or another one is in progress.
        """
        wanted = self._object(label)
        if not self.is_blank:
            raise ValueError(
                f"object {self.label} is in progress; accept or clear it before "
                f"reopening object {label}"
            )
        prior = wanted.prior
        if len(wanted.clicks) == 0:
            offset = wanted.box.top, wanted.box.left
            prior = Patch(wanted.mask.astype(np.float32), offset)
        rest = tuple(one for one in self._state.objects if one is not wanted)
        self._do(Annotation(label, wanted.clicks, wanted.hypothesis, prior, rest))

    def correct(self, label: int, click: Click) -> None:
        """Work on an accepted object again, with one more click, as one step.

        Raises
        ------
        ValueError
            As ``reopen`` and ``click`` do.
        """
        self._object(label).clicks.adding(click).check_inside(self.grid)
        self.reopen(label)
        self._history.amend(self._with_clicks(self.clicks.adding(click)))

    def delete(self, label: int) -> None:
        """Give up an accepted object; ValueError if there is none with this label."""
        unwanted = self._object(label)
        rest = tuple(one for one in self._state.objects if one is not unwanted)
        self._do(replace(self._state, objects=rest))

    def merge(self, labels: Iterable[int]) -> SegmentedObject:
        """Make one object, without clicks, of several.

        It gets the label and the place of the first named one.

        Raises
        ------
        ValueError
            If fewer than two different objects are named or one does not exist.
        """
        chosen = [self._object(label) for label in dict.fromkeys(labels)]
        if len(chosen) < 2:
            raise ValueError(
                f"merging needs at least two objects, got {len(chosen)}; choose more"
            )
        box = chosen[0].box
        for one in chosen[1:]:
            box = box.union(one.box)
        mask = painted(chosen, box) > 0
        merged = SegmentedObject(chosen[0].label, Clicks(), box, mask, "merged")
        kept = [one for one in self._state.objects if one not in chosen]
        place = min(self._state.objects.index(one) for one in chosen)
        kept.insert(place, merged)
        self._do(replace(self._state, objects=tuple(kept)))
        return merged

    def begin(
        self,
        label: int,
        clicks: Clicks = Clicks(),
        *,
        hypothesis: int = 0,
        prior: Patch | None = None,
    ) -> None:
        """Start an object with a label of your choice, and clicks that are known.

        Raises
        ------
        ValueError
            If another object is in progress, the label is in use or below 1, or a
            click is outside the image.
        """
        if not self.is_blank:
            raise ValueError(
                f"object {self.label} is in progress; accept or clear it before "
                f"beginning object {label}"
            )
        if label < 1 or label in self.objects:
            raise ValueError(f"label {label} is below 1 or in use; choose another")
        clicks.check_inside(self.grid)
        self._do(Annotation(label, clicks, hypothesis, prior, self._state.objects))

    def adopt(self, objects: Iterable[SegmentedObject]) -> None:
        """Take over objects that were accepted elsewhere, as one step.

        ``segmented_objects.objects_of`` makes them of a label image.

        Raises
        ------
        ValueError
            If a label is in use or an object leaves the image.
        """
        kept = self._state.objects
        used = set(self.objects) | (set() if self.is_blank else {self.label})
        for one in self._inside(objects):
            if one.label in used:
                raise ValueError(f"label {one.label} is in use; choose another for it")
            used.add(one.label)
            kept = (*kept, one)
        label = self._label_after(kept) if self.is_blank else self.label
        self._do(replace(self._state, label=label, objects=kept))

    def adopt_found(
        self, found: Iterable[SegmentedObject], first_label: int = 1
    ) -> int:
        """Take over objects that a method found by itself, as one step.

        Their labels count up from ``first_label`` or the first free one. No pixel of
        another object, or of the one in progress, becomes theirs; see ``beside``.

        Returns
        -------
        How many were taken over.

        Raises
        ------
        ValueError
            If an object leaves the image.
        """
        taken = taken_by(self._state.objects, self.grid)
        if self.mask is not None:
            box, mask = self.mask
            taken[box.slices] |= mask
        in_use = max(
            [0, *self.objects] if self.is_blank else [self.label, *self.objects]
        )
        first = max(first_label, self._first_label, in_use + 1)
        new = [
            replace(one, label=label)
            for label, one in enumerate(beside(self._inside(found), taken), start=first)
        ]
        self.adopt(new)
        return len(new)

    def number_from(self, first_label: int) -> None:
        """Give the next object this label and later ones higher labels; no undo step.

        For sessions that share one label image.

        Raises
        ------
        ValueError
            If an object is in progress, or an object has this label already.
        """
        if not self.is_blank or first_label in self.objects or first_label < 1:
            raise ValueError(
                f"the next object cannot have label {first_label}: it is in use, below "
                "1, or an object is in progress"
            )
        self._first_label = first_label
        self._history.amend(replace(self._state, label=first_label))

    # History

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    def undo(self) -> bool:
        """Take back the last change, accepted objects included; False if none."""
        return self._history.undo()

    def redo(self) -> bool:
        """Make the change that was undone last again; False if none."""
        return self._history.redo()

    # Pixels

    def labels(self) -> Labels:
        """``(H, W)`` int32: every accepted object; 0 is background."""
        return self.labels_in(Box(0, 0, *self.grid))

    def labels_in(self, box: Box) -> Labels:
        """The same, ``box.shape``, inside ``box`` only."""
        return painted(self._state.objects, box)

    def others_in(self, box: Box) -> Mask:
        """``box.shape``: true on accepted objects."""
        return self.labels_in(box) > 0

    @property
    def others(self) -> Others:
        """Accepted objects as an image that is drawn where it is read; a snapshot."""
        return Others(self.grid, self._state.objects)

    # Within

    @property
    def _state(self) -> Annotation:
        return self._history.present

    def _do(self, state: Annotation) -> None:
        if state != self._state:
            self._history.do(state)

    def _change_clicks(self, clicks: Clicks) -> None:
        clicks.check_inside(self.grid)
        if clicks != self.clicks:
            self._do(self._with_clicks(clicks))

    def _with_clicks(self, clicks: Clicks) -> Annotation:
        prior = self._chosen() if self.hypothesis else self.prior
        return replace(self._state, clicks=clicks, hypothesis=0, prior=prior)

    def _chosen(self) -> Patch | None:
        """The chosen alternative as a prior: a mask, as a click log keeps it."""
        answer = self.answer
        if answer is None:
            return self.prior
        mask = answer.mask(self.threshold)
        return Patch(mask.astype(np.float32), answer.offset)

    def _request(self) -> Request:
        state = self._state
        asked = self._image_version, self.method
        return Request(
            state.clicks, self._contexts.number(asked, state.prior, state.objects)
        )

    def _acceptable(self) -> tuple[Box, Mask]:
        if self.is_blank:
            raise ValueError("there is nothing to accept yet; click on an object")
        if self.answer is None:
            raise ValueError(
                "the object in progress is not predicted yet; wait for its mask"
            )
        found = self.mask
        if found is None:
            raise ValueError(
                "the object in progress has no pixel; add a positive click"
            )
        return found

    def _inside(self, objects: Iterable[SegmentedObject]) -> Iterator[SegmentedObject]:
        for one in objects:
            if one.box.clipped_to(self.grid) != one.box:
                raise ValueError(
                    f"object {one.label} at {one.box} leaves the image of "
                    f"{self.grid[0]} x {self.grid[1]} pixels"
                )
            yield one

    def _object(self, label: int) -> SegmentedObject:
        if label not in self.objects:
            there = ", ".join(str(one) for one in self.objects) or "none"
            raise ValueError(f"there is no object {label}; there are: {there}")
        return self.objects[label]

    def _label_after(self, objects: Sequence[SegmentedObject]) -> int:
        return max([self._first_label - 1, *(one.label for one in objects)]) + 1
