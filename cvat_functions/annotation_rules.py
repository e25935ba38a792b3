"""What CVAT reads out of a function's annotations, and what it makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

from cvat_functions.function_file import FunctionFile

KINDS = ("interactor", "detector", "tracker", "reid")
LABEL_TYPES = {
    *("any", "cuboid", "ellipse", "mask", "points", "polygon", "polyline"),
    *("rectangle", "skeleton", "tag"),
}
LABEL_KEYS = {"id", "name", "type", "attributes", "sublabels", "svg"}
ATTRIBUTE_KEYS = {"name", "input_type", "values"}
SHAPE_TYPES = {"rectangle", "mask", "polygon", "polyline", "points", "ellipse"}
LEAST_VERSION = 2  # of an interactor; older ones get a warning instead of a button
EVERY, INTERACTOR, DETECTOR, TRACKER = KINDS, KINDS[:1], KINDS[1:2], KINDS[2:3]


def _spec(text: str) -> Any:
    return json.loads(text or "[]")


def _shape_list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation.

    Attributes
    ----------
    read
        CVAT's own way from the text to a value; ValueError where it raises one.
    default
        The value where the annotation is absent.
    kinds
        The functions that have it.
    """

    read: Callable[[str], Any]
    default: Any
    kinds: tuple[str, ...] = EVERY


# All that CVAT 2.73 looks for.
ANNOTATIONS: Mapping[str, Annotation] = {
    "type": Annotation(str, None),
    "name": Annotation(str, ""),
    "spec": Annotation(_spec, []),
    "version": Annotation(int, 1),
    "min_pos_points": Annotation(int, 1, INTERACTOR),
    "min_neg_points": Annotation(int, -1, INTERACTOR),
    "startswith_box": Annotation(bool, default=False, kinds=INTERACTOR),
    "startswith_box_optional": Annotation(bool, default=False, kinds=INTERACTOR),
    "animated_gif": Annotation(str, "", INTERACTOR),
    "help_message": Annotation(str, "", INTERACTOR),
    "supported_shape_types": Annotation(_shape_list, None, TRACKER),
}


def as_cvat_reads(annotations: Mapping[str, str]) -> dict[str, Any]:
    """The value that CVAT gets for each annotation, absent ones included.

    Raises
    ------
    ValueError
        If CVAT itself would stumble; it then lists no model at all.
    """
    return {
        key: one.read(annotations[key]) if key in annotations else one.default
        for key, one in ANNOTATIONS.items()
    }


def _unreadable(file: FunctionFile) -> Iterator[str]:
    """Annotations that break CVAT's list of models: of all functions, not just ours."""
    for key, text in file.annotations.items():
        if key not in ANNOTATIONS:
            continue
        try:
            ANNOTATIONS[key].read(text)
        except ValueError as problem:
            yield (
                f"annotation {key} is {text!r}, at which CVAT fails and lists no model "
                f"at all ({problem}); write a value or leave the key out"
            )


def _unknown_keys(file: FunctionFile) -> Iterator[str]:
    """Annotations that CVAT does not look for, in any or in this kind of function."""
    for key in file.annotations:
        near = get_close_matches(key, ANNOTATIONS, n=1)
        if key not in ANNOTATIONS:
            hint = f"did you mean {near[0]}?" if near else "leave it out"
            yield f"annotation {key} is none that CVAT reads; {hint}"
        elif file.kind in KINDS and file.kind not in ANNOTATIONS[key].kinds:
            yield f"annotation {key} means nothing for a {file.kind}; leave it out"


def _kind(file: FunctionFile) -> Iterator[str]:
    if file.kind not in KINDS:
        yield (
            f"annotation type is {file.kind!r}; CVAT leaves the function out unless it "
            f"is one of {', '.join(KINDS)}"
        )


def _name(file: FunctionFile) -> Iterator[str]:
    if not file.annotations.get("name"):
        yield "annotation name is empty; write what CVAT's list of models shall show"


def _version(file: FunctionFile) -> Iterator[str]:
    found = as_cvat_reads(file.annotations)["version"]
    if file.kind == "interactor" and found < LEAST_VERSION:
        yield (
            f"annotation version is {found}, for which CVAT says that the interactor "
            f"is outdated and offers no button; write {LEAST_VERSION}"
        )


def _least_points(file: FunctionFile) -> Iterator[str]:
    for key in ("min_pos_points", "min_neg_points"):
        found = as_cvat_reads(file.annotations)[key]
        if file.kind == "interactor" and found < 0:
            yield (
                f"annotation {key} is {found}; CVAT up to 2.59 takes no such clicks "
                "then; write 0 or more"
            )


def _false_is_true(file: FunctionFile) -> Iterator[str]:
    for key in ("startswith_box", "startswith_box_optional"):
        text = file.annotations.get(key, "true")
        if text != "true":
            yield (
                f"annotation {key} is {text!r}, and CVAT takes every text for true and "
                "none for false; write true or leave the key out"
            )


def _box_first(file: FunctionFile) -> Iterator[str]:
    seen = as_cvat_reads(file.annotations)
    if seen["startswith_box"] and seen["startswith_box_optional"]:
        yield "a box is both a must and optional; leave out one startswith_ annotation"
    elif seen["startswith_box_optional"] and seen["min_pos_points"] > 0:
        yield (
            f"annotation min_pos_points is {seen['min_pos_points']}, so that CVAT "
            "sends no box alone; with startswith_box_optional write 0"
        )


def _tooltip(file: FunctionFile) -> Iterator[str]:
    if file.kind == "interactor" and not file.annotations.get("help_message"):
        yield (
            "annotation help_message is empty, and CVAT tells its user so; write what "
            "to click"
        )
    picture = file.annotations.get("animated_gif", "")
    if picture and not picture.startswith(("https://", "http://")):
        yield f"annotation animated_gif is {picture!r}; write an address or drop it"


def _shape_types(file: FunctionFile) -> Iterator[str]:
    found = as_cvat_reads(file.annotations)["supported_shape_types"]
    if file.kind != "tracker":
        return
    if found is None:
        yield (
            "annotation supported_shape_types is absent, so that CVAT sends shapes in "
            "its old form; write rectangle,mask"
        )
        return
    for wrong in (one for one in found if one not in SHAPE_TYPES):
        yield f"annotation supported_shape_types has {wrong!r}, no type of CVAT's"
    if "rectangle" not in found:
        yield (
            "annotation supported_shape_types is without rectangle, the only type that "
            "CVAT Community tracks; add it"
        )


def _labels(file: FunctionFile) -> Iterator[str]:
    """The labels in ``spec``: a detector needs some, the others have none."""
    found = as_cvat_reads(file.annotations)["spec"]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        yield f"annotation spec must be a JSON list of labels, got {found!r}"
        return
    if (file.kind == "detector") != bool(found):
        should = "names no label" if file.kind == "detector" else "is for detectors"
        yield f"annotation spec {should}, got {found!r}"
    names = [str(one.get("name")) for one in found]
    for twice in {one for one in names if names.count(one) > 1}:
        yield f"annotation spec has the label {twice!r} twice; CVAT refuses that"
    for one in found:
        yield from _label_problems(one)


def _label_problems(label: Mapping[str, Any]) -> Iterator[str]:
    says = partial("annotation spec, label {!r}: {}".format, label.get("name"))
    if not isinstance(label.get("name"), str) or not label["name"]:
        yield says("it needs a name, CVAT stops without")
    if str(label.get("type", "any")) not in LABEL_TYPES:
        yield says(f"no type of CVAT's: {label['type']!r}")
    if unknown := set(label) - LABEL_KEYS:
        yield says(f"unknown keys {', '.join(sorted(unknown))}")
    attributes = label.get("attributes", [])
    if not isinstance(attributes, list) or not all(
        isinstance(one, dict) for one in attributes
    ):
        yield says(f"attributes must be a list of mappings, got {attributes!r}")
        return
    for attribute in attributes:
        if missing := ATTRIBUTE_KEYS - set(attribute):
            yield says(f"an attribute is without {', '.join(sorted(missing))}")


# The first ones keep the others from stumbling: none is asked after one complained.
FIRST = (_unreadable,)
RULES = (
    *(_kind, _name, _unknown_keys, _version, _least_points, _false_is_true),
    *(_box_first, _tooltip, _shape_types, _labels),
)
