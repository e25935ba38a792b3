"""A function.yaml as it arrives: nuclio hands CVAT every annotation as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import yaml

CPU, GPU = "function.yaml", "function-gpu.yaml"  # what CVAT's deploy scripts look for
HTTP = "http"


class _Reader(yaml.SafeLoader):
    """YAML 1.1 as Go's reader takes it: ``yes`` is true, but a date is text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line of the image's Dockerfile, before or after the folder is copied in."""

    stage: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class FunctionFile:
    """One yaml file and where it lies; ``SHAPES`` says what the rest may rely on."""

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> FunctionFile:
        """The file at ``path``.

        Raises
        ------
        ValueError
            If it is no YAML or no mapping; the message says what it is.
        """
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), _Reader)  # noqa: S506
        except (yaml.YAMLError, UnicodeDecodeError) as problem:
            raise ValueError(f"it is no YAML: {problem}") from problem
        if not isinstance(content, dict):
            raise ValueError(f"it is no mapping with metadata and spec: {content}")  # noqa: TRY004 - of the file
        return cls(path, MappingProxyType(content))

    def at(self, *keys: str) -> Any:
        """The value below ``keys``; None where there is none."""
        value: Any = self.content
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    @property
    def is_for_gpu(self) -> bool:
        return self.path.name == GPU

    @property
    def twin(self) -> Path:
        """The same function for the other kind of machine; it may not exist."""
        return self.path.with_name(CPU if self.is_for_gpu else GPU)

    @property
    def annotations(self) -> dict[str, str]:
        """What CVAT gets to read."""
        found: dict[str, Any] = self.at("metadata", "annotations")
        return {str(key): text_of(value) for key, value in found.items()}

    @property
    def kind(self) -> str | None:
        """What CVAT takes the function for: "interactor", "detector", ..."""
        return self.annotations.get("type")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the function's processes get."""
        found: list[Mapping[str, Any]] = self.at("spec", "env") or []
        return {text_of(one.get("name")): text_of(one.get("value")) for one in found}

    @property
    def http_triggers(self) -> dict[str, Mapping[str, Any]]:
        found: Mapping[str, Any] = self.at("spec", "triggers") or {}
        return {name: one for name, one in found.items() if one.get("kind") == HTTP}

    def instructions(self) -> Iterator[Instruction]:
        """The lines of ``spec.build.directives``, in the order of the file."""
        for stage, lines in (self.at("spec", "build", "directives") or {}).items():
            for line in lines:
                yield Instruction(
                    stage, text_of(line.get("kind")), text_of(line.get("value"))
                )


def text_of(value: Any) -> str:
    """A scalar as Go's YAML reader writes it where text is wanted.

    ``no`` becomes "false", 2.0 becomes "2", and nothing becomes "".
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _items(kind: type, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _mapping_of(kind: type, value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, kind) for v in value.values())


def _directives(value: Any) -> bool:
    return isinstance(value, dict) and all(_items(dict, one) for one in value.values())


def _scalars(value: Any) -> bool:
    plain = (str, int, float, type(None))
    return isinstance(value, dict) and all(isinstance(v, plain) for v in value.values())


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _triggers(value: Any) -> bool:
    return _mapping_of(dict, value) and all(
        isinstance(one.get("attributes") or {}, dict) for one in value.values()
    )


# Where what must stand; whether it may be absent.
SHAPES: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool], bool], ...] = (
    (("metadata",), "a mapping", _mapping, False),
    (("metadata", "annotations"), "a mapping of plain values", _scalars, False),
    (("spec",), "a mapping", _mapping, False),
    (("spec", "env"), "a list of name and value", partial(_items, dict), True),
    (("spec", "build"), "a mapping", _mapping, False),
    (
        ("spec", "build", "directives"),
        "preCopy and postCopy with lists of kind and value",
        _directives,
        False,
    ),
    (("spec", "triggers"), "named triggers, attributes in them", _triggers, False),
    (("spec", "resources", "limits"), "a mapping", _mapping, True),
)


def misshapen(file: FunctionFile) -> Iterator[str]:
    """Sentences about what stands where something of another shape must."""
    for keys, shape, holds, may_be_absent in SHAPES:
        value = file.at(*keys)
        if not (holds(value) or (may_be_absent and value is None)):
            yield f"{'.'.join(keys)} must be {shape}, got {value!r}"
