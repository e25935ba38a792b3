"""What CVAT sends, as frozen values; anything else is refused with a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

from napari_iseg.arrays import Grid
from napari_iseg.clicks import Click
from napari_iseg.cvat.problems import MalformedRequestError, shown

Fields: TypeAlias = Mapping[str, Any]
MOST_POINTS = 256  # each costs a prediction; nobody clicks as often at one object


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image file in base64: all that CVAT tells about where it comes from."""

    base64: str

    @property
    def key(self) -> bytes:
        """Equal for equal images; 16 bytes."""
        return blake2b(self.base64.encode("utf-8", "replace"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the image in pixels, counted from its upper left corner."""

    x: float
    y: float

    def click(self, grid: Grid, *, is_positive: bool = True) -> Click | None:
        """The pixel it lies in; the far border belongs to the last. None: outside."""
        height, width = grid
        if not (0 <= self.x <= width and 0 <= self.y <= height):
            return None
        row, column = min(int(self.y), height - 1), min(int(self.x), width - 1)
        return Click(row, column, is_positive)


@dataclass(frozen=True, slots=True)
class BoxPrompt:
    """Two opposite corners that a user drew, sorted."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def between(cls, one: Point, other: Point) -> BoxPrompt:
        return cls(
            min(one.x, other.x),
            min(one.y, other.y),
            max(one.x, other.x),
            max(one.y, other.y),
        )

    @property
    def middle(self) -> Point:
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def distance(self, point: Point) -> float:
        """From ``point`` to this box, in pixels; 0 inside."""
        across = max(self.left - point.x, 0.0, point.x - self.right)
        down = max(self.top - point.y, 0.0, point.y - self.bottom)
        return math.hypot(across, down)


@dataclass(frozen=True, slots=True)
class Prompts:
    """All that a user said; which came before which is lost between the lists."""

    positive: tuple[Point, ...] = ()
    negative: tuple[Point, ...] = ()
    boxes: tuple[BoxPrompt, ...] = ()


@dataclass(frozen=True, slots=True)
class InteractorRequest:
    """One request of the interaction tool; it carries every prompt given so far."""

    image: EncodedImage
    prompts: Prompts
    threshold: float | None = None

    @classmethod
    def parsed(cls, body: Any) -> InteractorRequest:
        """The request in a body as nuclio hands it over.

        Raises
        ------
        MalformedRequestError
            Names what is wrong.
        """
        fields = fields_of(body)
        boxes = points_of(fields, "obj_bbox")
        if len(boxes) % 2:
            raise MalformedRequestError(
                f"obj_bbox holds {len(boxes)} corners; each box has two"
            )
        pairs = zip(boxes[::2], boxes[1::2], strict=True)
        prompts = Prompts(
            points_of(fields, "pos_points"),
            points_of(fields, "neg_points"),
            tuple(BoxPrompt.between(one, other) for one, other in pairs),
        )
        return cls(image_of(fields), prompts, threshold_of(fields))


def fields_of(body: Any) -> Fields:
    """The JSON object that a body is or holds.

    nuclio parses bodies of the type ``application/json`` alone: others, and JSON that
    it cannot read, come as bytes.
    """
    if isinstance(body, bytes | bytearray | str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise MalformedRequestError(f"the body is no JSON: {problem}") from problem
    if not isinstance(body, Mapping):
        raise MalformedRequestError(
            f"the body must be a JSON object, got {shown(body)}"
        )
    return body


def image_of(fields: Fields) -> EncodedImage:
    """The image, not looked into yet."""
    image = fields.get("image")
    if not isinstance(image, str) or not image:
        raise MalformedRequestError(
            f"image must be an image file in base64, got {shown(image)}"
        )
    return EncodedImage(image)


def points_of(fields: Fields, name: str) -> tuple[Point, ...]:
    """The list ``name`` of [x, y]; absent and null stand for an empty one."""
    values = fields.get(name)
    if values is None:
        return ()
    if not isinstance(values, list | tuple):
        raise MalformedRequestError(f"{name} must be a list, got {shown(values)}")
    if len(values) > MOST_POINTS:
        raise MalformedRequestError(
            f"{name} has {len(values)} points; at most {MOST_POINTS} are answered"
        )
    return tuple(_point(name, value) for value in values)


def threshold_of(fields: Fields) -> float | None:
    """The user's threshold in 0..1; None if there is none."""
    value = fields.get("threshold")
    if value is None:
        return None
    threshold = number("threshold", value)
    if not 0 <= threshold <= 1:
        raise MalformedRequestError(f"threshold must lie in 0..1, got {shown(value)}")
    return threshold


def number(name: str, value: Any) -> float:
    """A finite number out of JSON; neither a string nor a bool."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            finite = float(value)
        except OverflowError:
            finite = math.inf
        if math.isfinite(finite):
            return finite
    raise MalformedRequestError(f"{name} must be a finite number, got {shown(value)}")


def _point(name: str, value: Any) -> Point:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise MalformedRequestError(
            f"each point of {name} is [x, y], got {shown(value)}"
        )
    return Point(number(name, value[0]), number(name, value[1]))
