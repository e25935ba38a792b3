"""What BRS is worth: each variant beside the network alone and our local correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from napari_iseg.catalog import weights_file
from napari_iseg.refine.handles import Variant
from training.ablation_tables import difference, line
from training.evaluation import Method, Order, Workers, evaluate, read_curves
from training.evaluation.methods import BRS
from training.metrics import ClickCurve, summary

# A row's title: what is changed of the method.
ROWS: Mapping[str, str] = {
    "network alone": "obey=False",
    "local correction": "obey=True",
    **{f"BRS, {one}": f"{BRS}variant={one!r}" for one in get_args(Variant)},
}
COLUMNS = (
    "objects",
    "IoU @1",
    "@3",
    "@5",
    "NoC85",
    "NoC90",
    "more clicks to 90 %",
    "obedience",
    "CPU ms a click",
    "network alone = 1",
)
# Methods that come with BRS: what builds them without.
UNREFINED: Mapping[str, str] = {"brs": "napari_iseg.refine.papers:unrefined_brs"}


def refined_table(order: Order, path: Path, workers: Workers) -> str:
    """Measure what ``path`` does not hold yet; the table as Markdown.

    Parameters
    ----------
    order
        The methods, data sets, limits and one robot.
    path
        The result file.
    workers
        Who does the work.

    Raises
    ------
    ValueError
        As ``evaluate``, and if an object could not be measured.
    """
    rows = [row for method in order.methods for row in rows_of(method)]
    order = replace(order, methods=tuple(method for _, _, method in rows))
    ending = evaluate(order, path, workers)
    if ending.failures:
        raise ValueError(f"{ending.failures[0]}; the same command tries again")
    asked = order.groups()
    curves = [c for c in read_curves(path) if (c.method, c.data, c.robot) in asked]
    lines = [
        f"Robot {order.robots[0]}, on {', '.join(order.data)}; means over objects, ± "
        "standard error of the mean difference to the network alone. Obedience: share "
        "of answers in which every clicked pixel carries its label.",
        "",
        line("method", "clicks made right by", *COLUMNS),
        "| --- | --- |" + " ---: |" * len(COLUMNS),
    ]
    alone: list[ClickCurve] = []
    for name, title, method in rows:
        found = [c for c in curves if c.method == method.title]
        alone = found if title == next(iter(ROWS)) else alone
        lines.append(line(name, title, *figures(found, alone)))
    return "\n".join(lines) + "\n"


def rows_of(method: Method) -> list[tuple[str, str, Method]]:
    """Name, title and method of each row."""
    bare = method
    if method.name in UNREFINED:
        weights = weights_file(method.name, method.weights)
        bare = replace(method, name=UNREFINED[method.name], weights=weights)
    return [
        (method.name, title, replace(bare, policy=(*method.policy, change)))
        for title, change in ROWS.items()
    ]


def figures(curves: Sequence[ClickCurve], alone: Sequence[ClickCurve]) -> list[str]:
    row = summary(curves)
    ious = [f"{row[name]:.3f}" for name in ("iou@1", "iou@3", "iou@5")]
    clicks = [f"{row[name]:.2f}" for name in ("noc85", "noc90")]
    more = "" if curves is alone else difference(curves, alone, 0.9)
    time, usual = (mean_click(some) for some in (curves, alone))
    return [
        f"{len(curves)}",
        *ious,
        *clicks,
        more,
        f"{row['obedience']:.2%}",
        f"{1000 * time:.0f}",
        f"{time / usual:.2f}",
    ]


def mean_click(curves: Sequence[ClickCurve]) -> float:
    """Processor time of an answer, seconds."""
    return float(np.mean([t for curve in curves for t in curve.cpu_seconds]))
