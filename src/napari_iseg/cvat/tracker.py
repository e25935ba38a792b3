"""An object from frame to frame: its last mask, moved, is where the next one begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from napari_iseg.arrays import Box, Grid, ImageLike, Mask, bounding_box, image_grid
from napari_iseg.catalog import load_segmenter
from napari_iseg.clicks import Clicks
from napari_iseg.cvat import rle
from napari_iseg.cvat.appearance import Appearance
from napari_iseg.cvat.images import decoded
from napari_iseg.cvat.problems import MalformedRequestError, shown
from napari_iseg.cvat.requests import fields_of, image_of, number
from napari_iseg.cvat.responses import Payload
from napari_iseg.cvat.settings import Settings
from napari_iseg.segmenter import Patch, Segmenter

RECTANGLE, MASK = "rectangle", "mask"
MOST_OBJECTS = 256
LEAST_LIKENESS = 0.4  # IoU of a drawn rectangle and what was found inside
MOST_GROWTH = 2.0  # of the area from one frame to the next


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """An object in one frame.

    Attributes
    ----------
    kind
        "rectangle" or "mask": what CVAT's user tracks.
    mask
        ``(H, W)``.
    margins
        How much further than the mask the user's rectangle went: left, top, right and
        bottom, in pixels. It keeps them.
    appearance
        What it looked like.
    """

    kind: str
    mask: Mask
    margins: tuple[float, ...]
    appearance: Appearance

    @property
    def points(self) -> list[float]:
        """The shape of ``kind`` as CVAT reads it."""
        if self.kind == MASK:
            return [float(value) for value in rle.encoded(self.mask)]
        height, width = self.mask.shape
        limits = (width, height, width, height)
        edges = zip(_corners(self.mask), self.margins, limits, strict=True)
        return [float(np.clip(edge + more, 0, most)) for edge, more, most in edges]

    @property
    def state(self) -> Payload:
        """All of it as JSON, a few kilobytes: CVAT's browser carries it along."""
        seen = self.appearance
        return {
            "kind": self.kind,
            "grid": list(self.mask.shape),
            "mask": rle.encoded(self.mask),
            "margins": list(self.margins),
            "picture": seen.text,
            "seen": [*seen.picture.shape, seen.step, seen.top, seen.left],
        }

    @classmethod
    def read(cls, state: Any, grid: Grid) -> Tracked:
        """From ``state``.

        Raises
        ------
        MalformedRequestError
            If it is none of ours or of an image of another size.
        """
        try:
            return cls._read(state, grid)
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            raise MalformedRequestError(
                f"{shown(state)} is no state of this tracker: {problem}"
            ) from problem

    @classmethod
    def _read(cls, state: Any, grid: Grid) -> Tracked:
        if tuple(state["grid"]) != grid or state["kind"] not in {RECTANGLE, MASK}:
            raise ValueError(f"it is of an image of {state['grid']}, not {grid}")
        mask = rle.decoded([int(value) for value in state["mask"]], grid)
        left, top, right, bottom = (
            number("a margin", value) for value in state["margins"]
        )
        height, width, step, row, column = (int(value) for value in state["seen"])
        seen = Appearance.read(state["picture"], (height, width, step, row, column))
        if not mask.any() or row >= grid[0] or column >= grid[1]:
            raise ValueError("there is nothing in it")
        return cls(state["kind"], mask, (left, top, right, bottom), seen)


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
        remarks["objects"] = len(states or drawn)
        if states:
            before = [Tracked.read(state, grid) for state in states]
            found = [self.followed(image, one) for one in before]
        else:
            found = [self.begun(image, *_shape(one)) for one in drawn]
        plain = not states and bool(drawn) and not isinstance(drawn[0], Mapping)
        shapes = [_written(one, plain=plain) for one in found]
        return {"shapes": shapes, "states": [one.state for one in found]}

    def begun(self, image: ImageLike, kind: str, points: list[float]) -> Tracked:
        """The object in a shape that a user drew.

        Raises
        ------
        MalformedRequestError
            If the shape is none or lies outside the image.
        """
        grid = image_grid(image)
        if kind == MASK:
            mask = _drawn_mask(points, grid)
            return _tracked(image, kind, mask, (0.0, 0.0, 0.0, 0.0))
        box = _drawn_box(points, grid)
        mask = self._inside(image, box)
        edges = zip(points, _corners(mask), strict=True)
        return _tracked(image, kind, mask, tuple(drawn - own for drawn, own in edges))

    def followed(self, image: ImageLike, before: Tracked) -> Tracked:
        """The same object in the next frame.

        Where it is not found, the last mask goes along with what it looked like.
        """
        box = _box(before.mask)
        moved = _moved(before.mask, before.appearance.shift(image, box))
        prior = Patch(moved.astype(np.float32), (0, 0))
        predictor = self.segmenter.prepare(image, prior=prior)
        found = _whole(predictor.predict_patch(_middle(moved)), moved.shape)
        growth = found.sum() / moved.sum()
        kept = found if 1 / MOST_GROWTH <= growth <= MOST_GROWTH else moved
        return _tracked(image, before.kind, kept, before.margins)

    def _inside(self, image: ImageLike, box: Box) -> Mask:
        """The object in a rectangle; an ellipse where none fits it."""
        predictor = self.segmenter.prepare(image)
        ellipse = _ellipse(box, predictor.grid)
        guesses = predictor.alternative_patches(_middle(ellipse))
        masks = [_whole(patch, predictor.grid) for patch, _ in guesses]
        best = max(masks, key=lambda mask: _likeness(mask, box))
        return best if _likeness(best, box) >= LEAST_LIKENESS else ellipse


def _tracked(
    image: ImageLike, kind: str, mask: Mask, margins: tuple[float, ...]
) -> Tracked:
    return Tracked(kind, mask, margins, Appearance.of(image, _box(mask)))


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


def _box(mask: Mask) -> Box:
    box = bounding_box(mask)
    assert box is not None
    return box


def _corners(mask: Mask) -> tuple[int, int, int, int]:
    box = _box(mask)
    return box.left, box.top, box.right, box.bottom


def _ellipse(box: Box, grid: Grid) -> Mask:
    rows, columns = (np.arange(side) + 0.5 for side in grid)
    height, width = box.shape
    down = (2 * rows - box.top - box.bottom) / height
    across = (2 * columns - box.left - box.right) / width
    mask: Mask = down[:, None] ** 2 + across[None] ** 2 <= 1
    return mask


def _middle(mask: Mask) -> Clicks:
    """One click where the mask is thickest."""
    box = _box(mask)
    # padding: the image border is a border too
    depth = ndimage.distance_transform_edt(np.pad(mask[box.slices], 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Clicks.at(positive=[(box.top + int(row), box.left + int(column))])


def _moved(mask: Mask, shift: tuple[int, int]) -> Mask:
    """``mask`` moved by rows and columns; where it was if nothing of it stays."""
    box = _box(mask)
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
