"""A lesson on its way to the process that teaches: a folder of arrays and one JSON.

Only what surrounds the objects is written, tile by tile: the image may be larger than
memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from napari_iseg.arrays import Box
from napari_iseg.intensities import (
    DtypeRange,
    GivenLimits,
    Intensities,
    Percentiles,
    ScaledImage,
    Unscaled,
)
from napari_iseg.own_data import OwnPlane
from napari_iseg.segmented_objects import SegmentedObject, painted
from napari_iseg.teaching.lesson import LessonPlane

SURROUNDINGS = 400  # pixels around the objects: what the widest first look sees
TILE = 1024  # pixels: objects whose middles lie in one tile are written together
PLAN = "lesson.json"
_INTENSITIES: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (DtypeRange, GivenLimits, Percentiles, Unscaled)
}


def write_lesson(
    folder: Path, planes: Sequence[OwnPlane], settings: Mapping[str, Any]
) -> None:
    """Write what ``read_lesson`` reads; ``settings`` go along as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[dict[str, Any]] = []
    for plane in planes:
        image = plane.image()
        scaled = image if isinstance(image, ScaledImage) else ScaledImage(image)
        for objects in tiles(plane.objects):
            number = str(len(parts))
            parts.append(write_part(folder, number, plane, scaled, objects))
    text = json.dumps({**settings, "planes": parts}, indent=1)
    (folder / PLAN).write_text(text, encoding="utf-8")


def write_part(
    folder: Path,
    number: str,
    plane: OwnPlane,
    image: ScaledImage,
    objects: Sequence[SegmentedObject],
) -> dict[str, Any]:
    """The surroundings of some objects as two arrays, and what to know of them."""
    box = surroundings(objects).clipped_to(image.grid)
    np.save(folder / f"{number}.image.npy", image.raw(box), allow_pickle=False)
    labels = painted(plane.objects, box)
    np.save(folder / f"{number}.labels.npy", labels, allow_pickle=False)
    kind = image.intensities
    return {
        "name": plane.name,
        "file": number,
        "wanted": [one.label for one in objects],
        "channels": None if image.channels is None else list(image.channels),
        "intensities": {"kind": type(kind).__name__, **asdict(kind)},  # type: ignore[call-overload]
    }


def read_lesson(folder: Path) -> tuple[list[LessonPlane], dict[str, Any]]:
    """The planes, and the settings that came along."""
    plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    return [read_part(folder, part) for part in plan.pop("planes")], plan


def read_part(folder: Path, part: Mapping[str, Any]) -> LessonPlane:
    """What ``write_part`` wrote."""
    raw = np.load(folder / f"{part['file']}.image.npy", allow_pickle=False)
    labels = np.load(folder / f"{part['file']}.labels.npy", allow_pickle=False)
    image = ScaledImage(raw, intensities_of(part["intensities"]), part["channels"])
    return LessonPlane(part["name"], image, labels, tuple(part["wanted"]))


def intensities_of(told: Mapping[str, Any]) -> Intensities:
    """The rule of this kind with these settings."""
    settings = dict(told)
    made: Intensities = _INTENSITIES[settings.pop("kind")](**settings)
    return made


def tiles(objects: Sequence[SegmentedObject]) -> list[list[SegmentedObject]]:
    """Objects in groups by where their middles lie."""
    groups: dict[tuple[int, int], list[SegmentedObject]] = {}
    for one in objects:
        row, column = one.box.top + one.box.bottom, one.box.left + one.box.right
        key = row // (2 * TILE), column // (2 * TILE)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def surroundings(objects: Sequence[SegmentedObject]) -> Box:
    """All objects with what a first look sees around them; may leave the image."""
    box = objects[0].box
    for one in objects[1:]:
        box = box.union(one.box)
    wide = SURROUNDINGS
    return Box(box.top - wide, box.left - wide, box.bottom + wide, box.right + wide)
