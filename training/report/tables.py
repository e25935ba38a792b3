"""Tables from result files: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from training.metrics import ClickCurve, summary
from training.report.limits import learning_free_limit

Key: TypeAlias = tuple[str, str, str]  # method, data set, robot
Columns: TypeAlias = Mapping[str, tuple[str, str]]  # measure -> title, format
Rows: TypeAlias = Mapping[Key, Mapping[str, float]]
MEAN = "mean of "  # how the name of a row over several data sets begins
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"

COLUMNS: Columns = {
    "objects": ("objects", "{:.0f}"),
    "iou@1": ("IoU @1", "{:.3f}"),
    "iou@2": ("@2", "{:.3f}"),
    "iou@3": ("@3", "{:.3f}"),
    "iou@5": ("@5", "{:.3f}"),
    "iou@10": ("@10", "{:.3f}"),
    "iou@20": ("@20", "{:.3f}"),
    "noc85": ("NoC85", "{:.2f}"),
    "noc90": ("NoC90", "{:.2f}"),
    "failures90": ("failures at 90 %", "{:.1%}"),
    "obedience": ("clicks obeyed", "{:.2%}"),
    "cpu_first_ms": ("first click, CPU ms", "{:.0f}"),
    "cpu_later_ms": ("later, CPU ms", "{:.0f}"),
}

# The tables of a report: what a reader looks for -> its columns.
TABLES: Mapping[str, Columns] = {
    "IoU after n clicks": {
        "objects": ("objects", "{:.0f}"),
        "start_iou": ("@0", "{:.3f}"),
        **{name: COLUMNS[name] for name in COLUMNS if name.startswith("iou@")},
        "auc": ("AuC", "{:.3f}"),
    },
    "clicks needed": {
        "noc80": ("NoC80", "{:.2f}"),
        "noc85": ("NoC85", "{:.2f}"),
        "noc90": ("NoC90", "{:.2f}"),
        "noc95": ("NoC95", "{:.2f}"),
        "failures85": ("never 85 %", "{:.1%}"),
        "failures90": ("never 90 %", "{:.1%}"),
        "set_noc85": ("mean at 85 % after", "{:.2f}"),
        "set_noc90": ("mean at 90 % after", "{:.2f}"),
    },
    "outlines and obedience": {
        "biou@1": ("boundary IoU @1", "{:.3f}"),
        "biou@5": ("@5", "{:.3f}"),
        "biou@20": ("@20", "{:.3f}"),
        "hamming@5": ("wrong pixels @5", "{:.3%}"),
        "coverage@5": ("coverage @5", "{:.3f}"),
        "decidability@5": ("decidability @5", "{:.2f}"),
        "obedience": ("clicks obeyed", "{:.2%}"),
        "contradicted": ("objects contradicting a click", "{:.1%}"),
        "drops": ("clicks after which IoU fell", "{:.1%}"),
        "drop_depth": ("by", "{:.3f}"),
    },
    "time, ms": {
        "first_ms": ("first click, median", "{:.0f}"),
        "first_p95_ms": ("first, p95", "{:.0f}"),
        "later_ms": ("later, median", "{:.0f}"),
        "later_p95_ms": ("later, p95", "{:.0f}"),
        "cpu_first_ms": ("first, CPU", "{:.0f}"),
        "cpu_later_ms": ("later, CPU", "{:.0f}"),
        "cpu_later_p95_ms": ("later, CPU p95", "{:.0f}"),
    },
}


def grouped(curves: Iterable[ClickCurve]) -> dict[Key, list[ClickCurve]]:
    groups: dict[Key, list[ClickCurve]] = defaultdict(list)
    for curve in curves:
        groups[curve.method, curve.data, curve.robot].append(curve)
    return dict(groups)


def rows_of(curves: Iterable[ClickCurve]) -> dict[Key, dict[str, float]]:
    """A mean over the data sets, then one summary per method, data set and robot."""
    rows = {key: summary(group) for key, group in grouped(curves).items()}
    means = {}
    for method, robot in dict.fromkeys((m, r) for m, _, r in rows):
        parts = [row for (m, _, r), row in rows.items() if (m, r) == (method, robot)]
        if len(parts) > 1:
            means[method, f"{MEAN}{len(parts)} sets", robot] = mean_row(parts)
    return means | rows


def with_limits(curves: Sequence[ClickCurve]) -> dict[Key, dict[str, float]]:
    """``rows_of`` with the learning-free limit as one more method."""
    return rows_of([*curves, *learning_free_limit(curves)])


def mean_row(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure that all parts have; the number of objects of all."""
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    mean = {name: float(np.mean([part[name] for part in parts])) for name in shared}
    return {**mean, "objects": sum(part["objects"] for part in parts)}


def lines_of(rows: Rows, columns: Columns = COLUMNS) -> list[list[str]]:
    """Titles, then a line for each row; columns that no row has are left out."""
    shown = {n: c for n, c in columns.items() if any(n in row for row in rows.values())}
    titles = ["method", "data", "robot", *(title for title, _ in shown.values())]
    return [titles, *([*key, *cells(row, shown)] for key, row in rows.items())]


def cells(row: Mapping[str, float], columns: Columns) -> list[str]:
    return [
        form.format(row[name]) if math.isfinite(row.get(name, math.nan)) else "-"
        for name, (_, form) in columns.items()
    ]


def markdown(rows: Rows) -> str:
    """A table, one line for each method, data set and robot."""
    titles, *lines = lines_of(rows)
    ruler = ["---"] * 3 + ["---:"] * (len(titles) - 3)
    return "".join(f"| {' | '.join(line)} |\n" for line in (titles, ruler, *lines))


def overview(rows: Rows) -> str:
    """The means over the data sets in sight, and each data set in a fold below."""
    means = {key: row for key, row in rows.items() if key[1].startswith(MEAN)}
    each = sorted(rows.keys() - means.keys(), key=by_data(rows))
    parts = markdown({key: rows[key] for key in each})
    if not means:
        return parts
    fold = f"<details>\n<summary>Each data set</summary>\n\n{parts}\n</details>\n"
    return f"{markdown(means)}\n{fold}"


def by_data(rows: Rows) -> Callable[[Key], tuple[int, int]]:
    """Data sets in the order of ``rows``, and within each its methods in theirs."""
    data = list(dict.fromkeys(name for _, name, _ in rows))
    places = {key: (data.index(key[1]), at) for at, key in enumerate(rows)}
    return places.__getitem__


def as_json(rows: Mapping[Key, Mapping[str, float]]) -> str:
    listed = [
        {"method": m, "data": d, "robot": r, **row} for (m, d, r), row in rows.items()
    ]
    return json.dumps(listed, indent=1) + "\n"


def put_between_markers(document: Path, table: str, name: str = "") -> None:
    """Replace what stands between the table markers of ``document``.

    Where it holds several tables, each has a ``name``: ``<!-- NAME:begin -->``.

    Raises
    ------
    ValueError
        If the markers are not there.
    """
    text = document.read_text(encoding="utf-8")
    begin, end = (mark.replace("table", name or "table") for mark in (BEGIN, END))
    if begin not in text or end not in text:
        raise ValueError(
            f"{document} has no lines '{begin}' and '{end}' to write between"
        )
    before, after = text.split(begin)[0], text.split(end)[1]
    document.write_text(f"{before}{begin}\n{table}{end}{after}", encoding="utf-8")
