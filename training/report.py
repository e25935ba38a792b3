"""Tables from result files: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.metrics import ClickCurve, summary

Key = tuple[str, str, str]  # method, data set, robot
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"

COLUMNS: Mapping[str, tuple[str, str]] = {
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
    "first_ms": ("first click, ms", "{:.0f}"),
    "later_ms": ("later, ms", "{:.0f}"),
}


def grouped(curves: Iterable[ClickCurve]) -> dict[Key, list[ClickCurve]]:
    groups: dict[Key, list[ClickCurve]] = defaultdict(list)
    for curve in curves:
        groups[curve.method, curve.data, curve.robot].append(curve)
    return dict(groups)


def rows_of(curves: Iterable[ClickCurve]) -> dict[Key, dict[str, float]]:
    """One summary per method, data set and robot, and a mean over the data sets."""
    rows = {key: summary(group) for key, group in grouped(curves).items()}
    for method, robot in {(m, r) for m, _, r in rows}:
        parts = [row for (m, _, r), row in rows.items() if (m, r) == (method, robot)]
        if len(parts) > 1:
            rows[method, "mean of the sets", robot] = mean_row(parts)
    return rows


def mean_row(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    mean = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
    return {**mean, "objects": sum(part["objects"] for part in parts)}


def markdown(rows: Mapping[Key, Mapping[str, float]]) -> str:
    """A table, one line for each method, data set and robot."""
    titles = ["method", "data", "robot", *(title for title, _ in COLUMNS.values())]
    lines = [titles, ["---"] * 3 + ["---:"] * len(COLUMNS)]
    for key, row in rows.items():
        cells = [form.format(row[name]) for name, (_, form) in COLUMNS.items()]
        lines.append([*key, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def as_json(rows: Mapping[Key, Mapping[str, float]]) -> str:
    listed = [
        {"method": m, "data": d, "robot": r, **row} for (m, d, r), row in rows.items()
    ]
    return json.dumps(listed, indent=1) + "\n"


def put_between_markers(document: Path, table: str) -> None:
    """Replace what stands between the table markers of ``document``.

    Raises
    ------
    ValueError
        If the markers are not there.
    """
    text = document.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(
            f"{document} has no lines '{BEGIN}' and '{END}' to write between"
        )
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    document.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")
