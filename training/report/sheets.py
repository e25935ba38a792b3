"""The worst cases as sheets of images, with clicks and outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from skimage.measure import find_contours

from napari_iseg.arrays import Box, Mask, bounding_box
from training.datasets import BenchmarkObject
from training.metrics import ClickCurve
from training.report.figures import styled
from training.report.limits import worth

TRUTH, PREDICTED = "#56B4E9", "#E69F00"  # Okabe and Ito: told apart in grey, too
POSITIVE, NEGATIVE = "#FFFFFF", "#CC79A7"
MARGIN = 0.25  # of the object's longer side, around it
LEAST_MARGIN = 12  # pixels
ACROSS = 3  # cases side by side
NUMBERED = 9  # clicks: more numbers would hide the object


@dataclass(frozen=True, slots=True)
class Case:
    """An object, the clicks on it, and the mask they led to."""

    found: BenchmarkObject
    curve: ClickCurve
    predicted: Mask


def worst(curves: Sequence[ClickCurve], number: int) -> list[ClickCurve]:
    """The objects that went worst: most clicks first, then the lowest IoU over all."""
    return sorted(curves, key=lambda c: (worth(c), c.sample), reverse=True)[:number]


def sheet(title: str, cases: Sequence[Case]) -> Figure:
    """Each case twice: as it is, and with truth, answer and clicks."""
    across = min(ACROSS, len(cases))
    rows = -(-len(cases) // across)
    with styled():
        height = 2.1 * max(slimness(case) for case in cases) + 0.3
        figure = Figure(
            figsize=(4.4 * across, height * rows + 0.7), layout="constrained"
        )
        panels = figure.subplots(rows, 2 * across, squeeze=False).reshape(-1, 2)
        for axes in panels.flat:
            axes.set_axis_off()
        for (plain, annotated), case in zip(panels, cases, strict=False):
            draw(plain, annotated, case)
        figure.suptitle(title, fontsize=10)
        figure.legend(handles=keys(), loc="outside lower center", ncols=4)
    return figure


def slimness(case: Case) -> float:
    """Height over width of what is shown of the image."""
    height, width = view_of(case).shape
    return height / width


def keys() -> list[Line2D]:
    line: dict[str, Any] = {"linewidth": 2.0}
    mark: dict[str, Any] = {
        "linestyle": "",
        "markeredgecolor": "black",
        "markersize": 8,
    }
    return [
        Line2D([], [], color=TRUTH, label="truth", **line),
        Line2D([], [], color=PREDICTED, linestyle="--", label="answer", **line),
        Line2D([], [], marker="o", color=POSITIVE, label="positive click", **mark),
        Line2D([], [], marker="X", color=NEGATIVE, label="negative click", **mark),
    ]


def draw(plain: Any, annotated: Any, case: Case) -> None:
    box = view_of(case)
    shown = displayed(case.found.image[box.slices])
    for axes in (plain, annotated):
        axes.imshow(shown, cmap="gray", interpolation="nearest")
    outline(annotated, case.found.truth[box.slices], TRUTH, "-")
    outline(annotated, case.predicted[box.slices], PREDICTED, "--")
    for number, (row, column, is_positive) in enumerate(case.curve.clicks, start=1):
        mark(annotated, column - box.left, row - box.top, number, is_positive)
    needed = case.curve.clicks_to(0.9)
    told = f"90 % after {needed}" if needed else "never 90 %"
    end = f"IoU {case.curve.ious[-1]:.2f} after {len(case.curve.ious)} clicks"
    plain.set_title(case.curve.sample, fontsize=7.5, loc="left")
    annotated.set_title(f"{end}; {told}", fontsize=7.5, loc="left")


def outline(axes: Any, mask: Mask, colour: str, line: str) -> None:
    """Along the pixels' edges; on a dark line, so that it shows on any ground."""
    padded = np.pad(mask, 1).astype(float)
    contours = find_contours(padded, 0.5)  # type: ignore[no-untyped-call]  # skimage
    for contour in contours:
        rows, columns = contour[:, 0] - 1, contour[:, 1] - 1
        axes.plot(columns, rows, color="black", linewidth=2.2, alpha=0.55)
        axes.plot(columns, rows, color=colour, linewidth=1.3, linestyle=line)


def mark(axes: Any, x: float, y: float, number: int, is_positive: bool) -> None:  # noqa: FBT001 - as a click has it
    shape, colour = ("o", POSITIVE) if is_positive else ("X", NEGATIVE)
    axes.plot(
        x, y, shape, color=colour, markeredgecolor="black", markersize=6.5, zorder=3
    )
    if number > NUMBERED:
        return
    axes.annotate(
        str(number),
        (x, y),
        xytext=(4, 3),
        textcoords="offset points",
        fontsize=5.5,
        color="white",
        bbox={"boxstyle": "round,pad=0.12", "color": "black", "alpha": 0.6},
    )


def view_of(case: Case) -> Box:
    """The part of the image that shows object and clicks, and what is around them.

    An answer that runs over the whole image is shown only as far as that.
    """
    grid = case.found.truth.shape
    needed = case.found.truth.copy()
    for row, column, _ in case.curve.clicks:
        needed[row, column] = True
    box = bounding_box(needed)
    assert box is not None
    height, width = box.shape
    margin = max(LEAST_MARGIN, round(MARGIN * max(height, width)))
    side = max(height, width) + 2 * margin
    top = (box.top + box.bottom - side) // 2
    left = (box.left + box.right - side) // 2
    return Box(top, left, top + side, left + side).clipped_to((grid[0], grid[1]))


def displayed(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Stretched to the range that a screen shows; ``(h, w)`` or ``(h, w, 3)``."""
    values = image[..., :3].astype(np.float32) if image.ndim == 3 else image
    low, high = np.percentile(values, (0.5, 99.5))
    scaled = (values.astype(np.float32) - low) / max(float(high - low), 1e-6)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
