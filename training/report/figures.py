"""Figures of result files: IoU against clicks, histograms of clicks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from training.evaluation.methods import ORACLE
from training.metrics import MOST, SHOWN, ClickCurve
from training.report.limits import LEARNING_FREE, needed

# Okabe and Ito's colours that stand out on white, and two of Tol's; every method also
# has a shape of its own.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#666666",
    "#882255",
    "#999933",
)
NEVER = MOST + 4  # where a histogram shows objects that do not reach the target
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "svg.hashsalt": "napari-iseg",  # the same file from the same results
    "svg.fonttype": "path",
}
UNDATED: Mapping[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
}


@dataclass(frozen=True, slots=True)
class Pen:
    """How a method is drawn, in every figure alike."""

    colour: str
    marker: str
    line: str = "-"

    @property
    def of_line(self) -> dict[str, Any]:
        return {
            "color": self.colour,
            "linestyle": self.line,
            "marker": self.marker,
            "markersize": 4.5,
            "linewidth": 1.6,
        }


def pens(methods: Sequence[str]) -> dict[str, Pen]:
    """A pen for each method; an oracle has its method's, dashed."""
    supply = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    plain = [m for m in methods if ORACLE not in m and not m.startswith(LEARNING_FREE)]
    found = {m: Pen(*next(supply)) for m in plain}
    for method in methods:
        if method.startswith(LEARNING_FREE):
            found[method] = Pen("#000000", "", ":")
        elif ORACLE in method:
            base = found.get(method.removesuffix(ORACLE)) or Pen(*next(supply))
            found[method] = Pen(base.colour, "", "--")
    return found


@contextmanager
def styled() -> Iterator[None]:
    with mpl.rc_context(STYLE):
        yield


def iou_figure(
    title: str, groups: Mapping[str, Sequence[ClickCurve]], drawn: Mapping[str, Pen]
) -> Figure:
    """Mean IoU against the number of clicks, a line for each method."""
    with styled():
        figure = Figure(figsize=(6.2, 3.9), layout="constrained")
        axes = figure.add_subplot()
        marks = [n - 1 for n in SHOWN]
        for method, curves in groups.items():
            means = mean_ious(curves)
            label = f"{method}  ({means[0]:.2f} to {means[-1]:.2f})"
            axes.plot(
                range(1, MOST + 1),
                means,
                label=label,
                markevery=marks,
                **drawn[method].of_line,
            )
        starts = [c.start_iou for curves in groups.values() for c in curves]
        if any(starts):
            mean = float(np.mean(starts))
            label = f"mask to correct  ({mean:.2f})"
            axes.axhline(mean, color="#888888", linewidth=0.8, label=label)
        axes.set(xlabel="clicks", ylabel="mean IoU", xlim=(0.5, MOST + 0.5))
        axes.set_ylim(top=1.0)
        axes.set_xticks([1, 2, 3, 5, 10, 15, 20])
        axes.set_title(title, loc="left", fontsize=10)
        figure.legend(loc="outside right center", title="method (after 1 and 20)")
        figure.set_size_inches(8.2, 3.9)
    return figure


def mean_ious(curves: Sequence[ClickCurve]) -> list[float]:
    """After 1, 2, ... clicks; an object that needs no more keeps its last value."""
    counted = [curve for curve in curves if curve.ious]
    return [float(np.mean([c.after(n) for c in counted])) for n in range(1, MOST + 1)]


def histogram_figure(
    title: str,
    groups: Mapping[str, Sequence[ClickCurve]],
    drawn: Mapping[str, Pen],
    target: float = 0.9,
) -> Figure:
    """How many objects needed how many clicks; a panel for each method."""
    columns = min(4, len(groups))
    rows = -(-len(groups) // columns)
    with styled():
        figure = Figure(figsize=(2.9 * columns, 1.8 * rows + 0.6), layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes in panels.flat[len(groups) :]:
            axes.set_visible(False)
        for axes, (method, curves) in zip(panels.flat, groups.items(), strict=False):
            histogram(axes, method, curves, drawn[method], target)
        figure.suptitle(title, fontsize=10)
        figure.supxlabel(f"clicks to {target:.0%} IoU", fontsize=9)
        figure.supylabel("objects", fontsize=9)
    return figure


def histogram(
    axes: Any, method: str, curves: Sequence[ClickCurve], pen: Pen, target: float
) -> None:
    clicks = np.array([needed(curve, target) for curve in curves])
    counts = np.bincount(clicks, minlength=MOST + 2) / len(curves)
    mean = float(np.minimum(clicks, MOST).mean())
    axes.bar(range(MOST + 1), counts[:-1], width=0.85, color=pen.colour)
    axes.bar(
        [NEVER],
        counts[-1:],
        width=1.4,
        color="white",
        edgecolor=pen.colour,
        hatch="////",
        linewidth=0.8,
    )
    axes.axvline(mean, color="black", linewidth=0.9, linestyle=":")
    axes.set_title(f"{method}: mean {mean:.1f}", fontsize=8.5, loc="left")
    axes.set_xlim(-0.2, NEVER + 1.5)
    axes.set_xticks([1, 5, 10, 15, 20, NEVER], ["1", "5", "10", "15", "20", "never"])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def saved(
    figure: Figure, path: Path, endings: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """The figure as ``path``.png and ``path``.svg, without date and program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [path.with_name(f"{path.name}.{ending}") for ending in endings]
    for file in files:
        with styled():
            figure.savefig(file, metadata=UNDATED[file.suffix])
    return files
