"""An object from frame to frame: its last mask, moved, is where the next one begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from scipy import ndimage

from napari_iseg.arrays import Box, Grid, ImageLike, Mask, bounding_box, image_grid
from napari_iseg.catalog import load_segmenter
from napari_iseg.clicks import Clicks
from napari_iseg.cvat import rle
from napari_iseg.cvat.images import decoded
from napari_iseg.cvat.problems import MalformedRequestError, shown
from napari_iseg.cvat.requests import fields_of, image_of, number
from napari_iseg.cvat.responses import Payload
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.tracked import MASK, RECTANGLE, Tracked, around, corners
from napari_iseg.segmenter import Patch, Segmenter

MOST_OBJECTS = 256
LEAST_LIKENESS = 0.4  # IoU of a drawn rectangle and what was found inside
MOST_GROWTH = 2.0  # of the area from one frame to the next


class Outcome(Enum):
    """How sure a step is; the value is what the log says of it."""

    FOUND = "found"
    UNFITTING = "nothing found fits the rectangle; an ellipse in it is tracked"
    MOVED = "found, but not its outline; the last one went along"
    LOST = "not found in this frame; its last shape is answered"


DOUBTS = {Outcome.UNFITTING: "unsure", Outcome.MOVED: "unsure", Outcome.LOST: "lost"}


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An object and how it came to be where it is."""

    tracked: Tracked
    outcome: Outcome = Outcome.FOUND

    @property
    def sentence(self) -> str:
        """For the log."""
        missed = self.tracked.missed
        row = f" ({missed} in a row)" if missed > 1 else ""
        return f"{self.tracked.place}: {self.outcome.value}{row}"


@dataclass(frozen=True, slots=True)
class Tracker:
    """Begins and goes on; remembers nothing, all is in the states."""

    segmenter: Segmenter
    settings: Settings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Tracker:
        """The method that the function's environment names.

        Raises
        ------
        ValueError
            If a variable, the method or its weights are not what they must be.
        """
        settings = Settings.read(environment)
        segmenter = load_segmenter(
            settings.method, device=settings.device, weights=settings.weights
        )
        segmenter.prepare(np.eye(64, dtype=np.uint8)).predict(Clicks.at([(32, 32)]))
        return cls(segmenter, settings)

    def answer(self, body: Any, remarks: dict[str, Any]) -> Payload:
        """Shapes and states, one for each that was sent.

        Raises
        ------
        MalformedRequestError, TooLargeRequestError
            If the request is none of CVAT's or its image too large.
        """
        fields = fields_of(body)
        states, drawn = _list(fields, "states"), _list(fields, "shapes")
        image = decoded(image_of(fields), self.settings.most_pixels)
        grid = image_grid(image)
        remarks["size"] = f"{grid[1]} x {grid[0]}"
        remarks["objects"] = len(states or drawn)
        if states:
            before = [Tracked.read(state, grid) for state in states]
            steps = [self.followed(image, one) for one in before]
        else:
            steps = [self.begun(image, *_shape(one)) for one in drawn]
        _remark_doubts(remarks, steps)
        plain = any(isinstance(one, list) for one in drawn)
        found = [step.tracked for step in steps]
        shapes = [_written(one, plain=plain) for one in found]
        return {"shapes": shapes, "states": [one.state for one in found]}

    def begun(self, image: ImageLike, kind: str, points: list[float]) -> Step:
        """The object in a shape that a user drew.

        Raises
        ------
        MalformedRequestError
            If the shape is none or lies outside the image.
        """
        grid = image_grid(image)
        if kind == MASK:
            return Step(Tracked.seen(image, kind, _drawn_mask(points, grid)))
        box = _drawn_box(points, grid)
        mask = self._inside(image, box)
        outcome = Outcome.UNFITTING if mask is None else Outcome.FOUND
        mask = _ellipse(box, grid) if mask is None else mask
        left, top, right, bottom = np.subtract(points, corners(mask)).tolist()
        margins = (left, top, right, bottom)
        return Step(Tracked.seen(image, kind, mask, margins), outcome)

    def followed(self, image: ImageLike, before: Tracked) -> Step:
        """The same object in the next frame, where what is there looks like it.

        Where it is lost it stays as it was seen last, so that it is found again when
        it comes back. A network that begins from the last mask finds one everywhere:
        likeness decides. An object without any contrast is where its outline is.
        """
        box, plain = around(before.mask), before.appearance.is_plain
        shift = (0, 0) if plain else before.appearance.shift(image, box)
        if shift is None:
            return _lost(before)
        moved = _moved(before.mask, shift)
        found = self._outlined(image, moved)
        is_outline = 1 / MOST_GROWTH <= found.sum() / moved.sum() <= MOST_GROWTH
        if plain and not is_outline:
            return _lost(before)
        kept, outcome = (found, Outcome.FOUND) if is_outline else (moved, Outcome.MOVED)
        return Step(Tracked.seen(image, before.kind, kept, before.margins), outcome)

    def _outlined(self, image: ImageLike, expected: Mask) -> Mask:
        """What the method finds where ``expected`` is."""
        prior = Patch(expected.astype(np.float32), (0, 0))
        predictor = self.segmenter.prepare(image, prior=prior)
        return _whole(predictor.predict_patch(_middle(expected)), expected.shape)

    def _inside(self, image: ImageLike, box: Box) -> Mask | None:
        """The object in a rectangle; None where nothing fits it."""
        predictor = self.segmenter.prepare(image)
        guesses = predictor.alternative_patches(_middle(_ellipse(box, predictor.grid)))
        masks = [_whole(patch, predictor.grid) for patch, _ in guesses]
        best = max(masks, key=lambda mask: _likeness(mask, box))
        return best if _likeness(best, box) >= LEAST_LIKENESS else None


def _lost(before: Tracked) -> Step:
    return Step(replace(before, missed=before.missed + 1), Outcome.LOST)


def _remark_doubts(remarks: dict[str, Any], steps: list[Step]) -> None:
    for count, step in enumerate(steps, start=1):
        if kind := DOUBTS.get(step.outcome):
            remarks.setdefault(kind, []).append(f"object {count}, {step.sentence}")


def _written(one: Tracked, *, plain: bool) -> Any:
    """CVAT up to 2.39 sends and reads bare points."""
    return one.points if plain else {"type": one.kind, "points": one.points}


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    values = fields.get(name)
    if values is None:
        return []
    if not isinstance(values, list) or len(values) > MOST_OBJECTS:
        raise MalformedRequestError(
            f"{name} must be a list of at most {MOST_OBJECTS}, got {shown(values)}"
        )
    return values


def _shape(value: Any) -> tuple[str, list[float]]:
    typed = (
        value if isinstance(value, Mapping) else {"type": RECTANGLE, "points": value}
    )
    kind, points = typed.get("type"), typed.get("points")
    if kind not in (RECTANGLE, MASK) or not isinstance(points, list):
        raise MalformedRequestError(
            f"rectangles and masks can be tracked, got {shown(value)}"
        )
    return kind, [number("a shape's points", point) for point in points]


def _drawn_mask(points: list[float], grid: Grid) -> Mask:
    try:
        mask = rle.decoded([int(point) for point in points], grid)
    except ValueError as problem:
        raise MalformedRequestError(f"no mask to track: {problem}") from problem
    if not mask.any():
        raise MalformedRequestError("the mask to track is empty")
    return mask


def _drawn_box(points: list[float], grid: Grid) -> Box:
    if len(points) != 4:
        raise MalformedRequestError(
            f"a rectangle has 4 numbers, got {len(points)} of them"
        )
    left, top, right, bottom = points
    height, width = grid
    row, column = int(np.floor(top)), int(np.floor(left))
    # A line is a rectangle one pixel wide.
    low, far = max(row + 1, int(np.ceil(bottom))), max(column + 1, int(np.ceil(right)))
    box = Box(row, column, low, far).clipped_to(grid)
    if box.is_empty:
        raise MalformedRequestError(
            f"the rectangle {points} is not in an image of {width} x {height} pixels"
        )
    return box


def _ellipse(box: Box, grid: Grid) -> Mask:
    rows, columns = (np.arange(side) + 0.5 for side in grid)
    height, width = box.shape
    down = (2 * rows - box.top - box.bottom) / height
    across = (2 * columns - box.left - box.right) / width
    mask: Mask = down[:, None] ** 2 + across[None] ** 2 <= 1
    return mask


def _middle(mask: Mask) -> Clicks:
    """One click where the mask is thickest."""
    box = around(mask)
    # padding: the image border is a border too
    depth = ndimage.distance_transform_edt(np.pad(mask[box.slices], 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Clicks.at(positive=[(box.top + int(row), box.left + int(column))])


def _moved(mask: Mask, shift: tuple[int, int]) -> Mask:
    """``mask`` moved by rows and columns; where it was if nothing of it stays."""
    box = around(mask)
    target = box.moved(*shift)
    part = target.clipped_to(mask.shape)
    moved = np.zeros_like(mask)
    if part.is_empty:
        return mask
    moved[part.slices] = mask[part.moved(-shift[0], -shift[1]).slices]
    return moved if moved.any() else mask


def _whole(patch: Patch, grid: Grid) -> Mask:
    mask = np.zeros(grid, bool)
    mask[patch.box.slices] = patch.mask()
    return mask


def _likeness(mask: Mask, box: Box) -> float:
    """IoU of the box around ``mask`` with ``box``."""
    own = bounding_box(mask)
    if own is None:
        return 0.0
    common = own.intersection(box)
    shared = 0 if common.is_empty else common.shape[0] * common.shape[1]
    both = own.shape[0] * own.shape[1] + box.shape[0] * box.shape[1]
    return shared / (both - shared)
