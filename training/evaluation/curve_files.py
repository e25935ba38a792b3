"""Result files: one JSON line for each object, whole even after a kill."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

from filelock import FileLock, Timeout

from napari_iseg.atomic_files import written_whole
from training.metrics import MOST, ClickCurve

logger = logging.getLogger(__name__)

Group: TypeAlias = tuple[str, str, str]  # method, data set, robot


@dataclass(frozen=True, slots=True)
class Settings:
    """What a result depends on besides method, data set, robot and object.

    Attributes
    ----------
    weights
        First digits of the sha256 of the weights; "" for a method without.
    device
        As it was asked for.
    clicks
        At most so many.
    start
        "nothing" or "degraded": what the first click corrects.
    others
        Whether the other objects of the image were given as accepted already.
    revision
        The code that made it; results of two revisions are not kept apart.
    """

    weights: str = ""
    device: str = "auto"
    clicks: int = MOST
    start: str = "nothing"
    others: bool = False
    revision: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Result:
    """A line of a result file; ``settings`` is None in files older than settings."""

    curve: ClickCurve
    settings: Settings | None = None

    @property
    def group(self) -> Group:
        return group_of(self.curve)


def group_of(curve: ClickCurve) -> Group:
    return curve.method, curve.data, curve.robot


def line_of(result: Result) -> str:
    values = {name: as_json(value) for name, value in asdict(result.curve).items()}
    if result.settings is not None:
        values["settings"] = asdict(result.settings)
    return json.dumps(values, allow_nan=False)


def as_json(value: Any) -> Any:
    """JSON knows neither "not a number" nor infinity: null and "inf" stand for them."""
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def from_json(value: Any) -> Any:
    """The inverse of ``as_json`` for what stands in a list; lists become tuples."""
    if isinstance(value, list):
        return tuple(from_json(one) for one in value)
    return math.nan if value is None else float(value) if value == "inf" else value


def result_from(values: dict[str, Any]) -> Result:
    """The result of a line; KeyError, TypeError or ValueError if it is none."""
    settings = values.pop("settings", None)
    lists = {
        name: from_json(value)
        for name, value in values.items()
        if isinstance(value, list)
    }
    curve = ClickCurve(**{**values, **lists})
    if len(curve.obeyed) != len(curve.ious):
        raise ValueError(
            f"{len(curve.obeyed)} values of 'obeyed' for {len(curve.ious)} clicks"
        )
    return Result(curve, None if settings is None else _settings_from(settings))


def _settings_from(values: dict[str, Any]) -> Settings:
    known = {one.name for one in fields(Settings)}
    return Settings(**{name: v for name, v in values.items() if name in known})


def read_results(path: Path) -> list[Result]:
    """The results of a file; a last line that is still being written is left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is no result: says which.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no result file at {path}")
    whole, _, torn = path.read_text(encoding="utf-8").rpartition("\n")
    if torn:
        logger.warning("the last line of %s is unfinished: it is left out", path)
    lines = enumerate(whole.split("\n"), start=1)
    return [_parsed(line, number, path) for number, line in lines if line]


def _parsed(line: str, number: int, path: Path) -> Result:
    try:
        return result_from(json.loads(line))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(
            f"line {number} of {path} is no result: {problem}"
        ) from problem


def read_curves(path: Path) -> list[ClickCurve]:
    """The curves of a result file; see ``read_results``."""
    return [result.curve for result in read_results(path)]


def write_curves(
    curves: Iterable[ClickCurve], path: Path, settings: Settings | None = None
) -> None:
    """Append one JSON line for each object."""
    with appending(path) as append:
        for curve in curves:
            append(Result(curve, settings))


@contextmanager
def appending(path: Path) -> Iterator[Callable[[Result], None]]:
    """A function that appends a line; each is handed to the system at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:

        def append(result: Result) -> None:
            file.write(line_of(result) + "\n")
            file.flush()

        yield append


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """No second evaluation may write to ``path``; a killed one holds no lock.

    Raises
    ------
    ValueError
        If another evaluation is writing to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as problem:
        raise ValueError(
            f"another evaluation is writing to {path}; choose another file with -o"
        ) from problem
    try:
        yield
    finally:
        lock.release()


def mended(path: Path) -> str:
    """Cut off a last line that a kill left unfinished; a remark if there was one."""
    if not path.is_file():
        return ""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return ""
    with path.open("r+b") as file:
        file.truncate(whole)
        os.fsync(file.fileno())
    return (
        f"{path} ended in the middle of a line ({len(content) - whole} bytes, of an "
        "evaluation that was killed): it is cut off, and its object measured again"
    )


def put_in_order(path: Path, results: Sequence[Result], asked: Sequence[Group]) -> None:
    """Rewrite a file so that it does not show in which order results came.

    What was asked comes last, in the order it was asked; other groups keep theirs.
    """
    order = dict.fromkeys(result.group for result in results)
    ranked = [*(group for group in order if group not in asked), *asked]
    rank = {group: i for i, group in enumerate(ranked)}
    in_order = sorted(results, key=lambda r: (rank[r.group], natural(r.curve.sample)))
    with written_whole(path) as unfinished:
        lines = [line_of(result) + "\n" for result in in_order]
        unfinished.write_text("".join(lines), encoding="utf-8")


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts 'a/2' before 'a/10'."""
    parts = re.findall(r"\d+|\D+", text)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]
