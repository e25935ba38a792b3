"""The papers' tables, and ours beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = Mapping[str, float]
Rows: TypeAlias = Mapping[tuple[str, str, str], Row]  # method, data set, robot
FILE = Path(__file__).with_name("papers.json")
MORE_THAN_ALL = 21  # how 'more than 20 clicks' is written in the file

# Measure -> what a reader calls it.
MEASURES: Mapping[str, str] = {
    "noc85": "clicks to 85 %",
    "noc90": "clicks to 90 %",
    "set_noc85": "clicks to a mean of 85 %",
    "set_noc90": "clicks to a mean of 90 %",
    "iou@1": "IoU after 1 click",
    "iou@3": "IoU after 3 clicks",
    "iou@10": "IoU after 10 clicks",
    "later_ms": "ms a click",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A number of a paper, and where it stands.

    ``robot`` is ours that clicks as the paper says; ``origin`` the table that the
    paper copied the number from, "" if it measured it.
    """

    paper: str
    table: str
    robot: str
    data: str
    measure: str
    method: str
    title: str
    value: float
    origin: str = ""

    @property
    def text(self) -> str:
        if "noc" in self.measure and self.value >= MORE_THAN_ALL:
            return "> 20"
        return number(self.measure, self.value)


def number(measure: str, value: float) -> str:
    forms = {"iou": "{:.3f}", "noc": "{:.2f}", "set": "{:.2f}"}
    return forms.get(measure[:3], "{:.0f}").format(value)


@cache
def published() -> tuple[Published, ...]:
    """Every number of the papers' tables."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        Published(
            table["paper"],
            table["table"],
            table["robot"],
            data,
            measure,
            row["method"],
            row["title"],
            value,
            row.get("origin", ""),
        )
        for table in content["tables"]
        for row in table["rows"]
        for data, measure, value in zip(
            table["data"], table["measures"], row["values"], strict=True
        )
        if value is not None
    )


def citations() -> dict[str, str]:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return {table["paper"]: table["citation"] for table in content["tables"]}


def beside(rows: Rows) -> list[tuple[str, list[list[str]]]]:
    """A title and a table for every paper's table, data set and measure that we have.

    A column of ours is there only if the paper's own robot made it; ``ritm`` stands
    beside it, where it was measured, since that is what today's papers use.
    """
    measured = {data for _, data, _ in rows}
    kinds = dict.fromkeys((p.paper, p.table, p.data, p.measure) for p in published())
    found = []
    for kind in kinds:
        if kind[2] in measured:
            paper, table, data, measure = kind
            title = f"{paper}, {table}: {MEASURES[measure]}, {data}"
            found.append((title, comparison(kind, rows)))
    return [(title, lines) for title, lines in found if len(lines) > 1]


def comparison(kind: tuple[str, str, str, str], rows: Rows) -> list[list[str]]:
    """Titles, then a line for each method of the paper's table that we measured."""
    numbers = [p for p in published() if (p.paper, p.table, p.data, p.measure) == kind]
    robot, measure = numbers[0].robot, kind[3]
    lines = [
        ["method", "paper", f"ours, robot {robot}", "difference", "ours, robot ritm"]
    ]
    for one in numbers:
        ours = rows.get((one.method, one.data, robot), {}).get(measure)
        plain = rows.get((one.method, one.data, "ritm"), {}).get(measure)
        if ours is None and plain is None:
            continue
        shown = [number(measure, v) if v is not None else "-" for v in (ours, plain)]
        gap = "-" if ours is None else f"{ours - one.value:+.2f}"
        copied = f" (from {one.origin})" if one.origin else ""
        lines.append([one.title, one.text + copied, shown[0], gap, shown[1]])
    return lines


def ranges(rows: Rows) -> list[list[str]]:
    """Whether a method of ours is inside what the papers report for it.

    Copied numbers count once; only clicks, since times depend on the machine.
    """
    lines = [["data", "measure", "method", "papers", "ours", "verdict"]]
    for (data, measure, method), numbers in by_method(own_numbers()).items():
        ours = {
            robot: row[measure]
            for (m, d, robot), row in rows.items()
            if (m, d) == (method, data) and robot in {n.robot for n in numbers}
        }
        if not ours:
            continue
        values = [n.value for n in numbers]
        reported = ", ".join(f"{n.paper} {n.text}" for n in numbers)
        shown = ", ".join(f"{robot} {value:.2f}" for robot, value in ours.items())
        found = verdict(max(ours.values()), min(values), max(values))
        lines.append([data, MEASURES[measure], method, reported, shown, found])
    return lines


def verdict(ours: float, least: float, most: float) -> str:
    """Where our worst number, over the robots, lies in the papers' range."""
    if ours < least:
        return "better than all"
    return "inside" if ours <= most else f"worse by {ours - most:.2f}"


def own_numbers() -> Iterator[Published]:
    return (p for p in published() if not p.origin and p.measure in ("noc85", "noc90"))


def by_method(
    numbers: Iterable[Published],
) -> dict[tuple[str, str, str], list[Published]]:
    found: dict[tuple[str, str, str], list[Published]] = {}
    for one in numbers:
        found.setdefault((one.data, one.measure, one.method), []).append(one)
    return found
