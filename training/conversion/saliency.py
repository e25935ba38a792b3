"""Figure 11 of BRS: DHSNet's precision and recall before and after clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask, ProbabilityMap
from napari_iseg.refine.brs import BRS
from training.ablation_tables import line
from training.conversion.journal import Row
from training.conversion.series import Robot
from training.metrics import iou

LEVELS = 52  # thresholds 0, 5, ..., 255 of 255
WEIGHT = 0.3  # beta squared of the F-measure, as all of saliency has it


@dataclass(frozen=True, slots=True)
class Saliency:
    """How an image is measured."""

    segmenter: BRS
    robot: Robot

    def measured(self, image: NDArray[Any], truth: Mask, ignored: Mask) -> Row:
        """Precision and recall at each threshold, before and after each click."""
        steps = self.robot.series(self.segmenter, image, truth, ignored)
        curves = [precision_recall(truth, s.probability, ignored) for s in steps]
        return {
            "precision": [one.round(4).tolist() for one, _ in curves],
            "recall": [one.round(4).tolist() for _, one in curves],
            "ious": [iou(truth, step.mask, ignored) for step in steps],
            "right": [step.is_right for step in steps[1:]],
        }


def precision_recall(
    truth: Mask, probability: ProbabilityMap, ignored: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of masks above each threshold, ``(LEVELS,)`` each, lowest threshold first.

    An empty mask has precision 1; with an empty truth recall is 1.
    """
    levels = np.floor(probability[~ignored] * 255 / 5).astype(int).clip(0, LEVELS - 1)
    inside = truth[~ignored]
    hit, all_ = (
        np.bincount(one, minlength=LEVELS)[::-1].cumsum()[::-1].astype(float)
        for one in (levels[inside], levels)
    )
    precision = np.divide(hit, all_, np.ones(LEVELS), where=all_ > 0)
    return precision, hit / hit[0] if hit[0] else np.ones(LEVELS)


def f_measure(
    precision: NDArray[np.float64], recall: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted harmonic mean of both; precision weighs more."""
    below = WEIGHT * precision + recall
    both = (1 + WEIGHT) * precision * recall
    return np.divide(both, below, np.zeros_like(below), where=below > 0)


def mean_curves(
    rows: Sequence[Row], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall after a number of clicks, in the mean of the images."""
    precision, recall = (
        np.mean([row[name][number] for row in rows], axis=0)
        for name in ("precision", "recall")
    )
    return precision, recall


def figure_11(rows: Sequence[Row], robot: Robot, data: str) -> str:
    """The largest F-measure of each curve, as Markdown.

    The paper prints its own numbers in the figure's legend alone.
    """
    numbers = range(robot.clicks + 1)
    curves = [mean_curves(rows, n) for n in numbers]
    best = [int(f_measure(*one).argmax()) for one in curves]
    right = [
        f"{100 * float(np.mean([row['right'][n] for row in rows])):.0f}"
        for n in range(robot.clicks)
    ]

    def at_best(which: int) -> list[str]:
        pairs = zip(curves, best, strict=True)
        return [f"{100 * float(one[which][at]):.1f}" for one, at in pairs]

    largest = [f"{float(f_measure(*one).max()):.3f}" for one in curves]
    ious = [float(np.mean([row["ious"][n] for row in rows])) for n in numbers]
    return "\n".join(
        [
            f"Robot {robot.name} on {data}: {len(rows)} images.",
            "",
            line("clicks", *("none" if n == 0 else f"{n}" for n in numbers)),
            "| --- |" + " ---: |" * len(numbers),
            line("largest F", *largest),
            line("precision there, %", *at_best(0)),
            line("recall there, %", *at_best(1)),
            line("IoU of the mask above 0.5, %", *(f"{100 * one:.1f}" for one in ious)),
            line("images with all clicks right, %", "", *right),
            "",
        ]
    )


def draw(rows: Sequence[Row], robot: Robot, path: Path) -> None:
    """The curves, one for each number of clicks, as the paper draws them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    for number in range(robot.clicks + 1):
        precision, recall = mean_curves(rows, number)
        largest = float(f_measure(precision, recall).max())
        axes.plot(recall, precision, label=f"{number} clicks, F {largest:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="lower left")
    figure.savefig(path, dpi=110)
