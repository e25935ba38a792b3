"""Table 4 of BRS: a U-Net for cells before and after one to five clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg import Click
from napari_iseg.arrays import Mask
from napari_iseg.intensities import ScaledImage, plane_wide
from napari_iseg.refine.brs import BRS
from training.ablation_tables import line
from training.conversion.journal import Row
from training.conversion.series import Robot, Step
from training.images import IGNORED, LabelledImage
from training.metrics import iou

# Per cent: without a click, then after one to five.
PAPER_IOU = (88.2, 88.9, 89.1, 89.4, 89.5, 89.6)
PAPER_GAIN = (None, 3.6, 1.8, 0.8, 1.3, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The cells of an image.

    Attributes
    ----------
    cells, ignored
        ``(H, W)``.
    zones
        ``(H, W)``: which cell is nearest to a pixel, 0 where there is none at all. All
        that is wrong is wrong with one cell.
    """

    cells: Mask
    ignored: Mask
    zones: NDArray[np.int32]

    @classmethod
    def of(cls, image: LabelledImage) -> Truth:
        ignored = image.labels == IGNORED
        known = np.where(ignored, 0, image.labels).astype(np.int32)
        if not known.any():
            return cls(known > 0, ignored, known)
        nearest = ndimage.distance_transform_edt(
            known == 0, return_distances=False, return_indices=True
        )
        return cls(known > 0, ignored, known[tuple(nearest)])

    def iou(self, mask: Mask) -> float:
        """Of the whole foreground."""
        return iou(self.cells, mask, self.ignored)

    def iou_at(self, click: Click, mask: Mask) -> float:
        """Of the cell that is nearest to a click, among the pixels nearest to it."""
        elsewhere = self.zones != self.zones[click.row, click.column]
        return iou(self.cells, mask, self.ignored | elsewhere)


@dataclass(frozen=True, slots=True)
class Cells:
    """How an image is measured."""

    segmenter: BRS
    robot: Robot

    def measured(self, image: LabelledImage) -> Row:
        """IoU before and after each click; gain of the cell that each click is about.

        A gain is None where no wrong pixel was left to click.
        """
        truth = Truth.of(image)
        scaled = plane_wide(ScaledImage(image.image))
        steps = self.robot.series(self.segmenter, scaled, truth.cells, truth.ignored)
        return {
            "ious": [truth.iou(step.mask) for step in steps],
            "gains": [gain(truth, before, after) for before, after in pairwise(steps)],
            "right": [step.is_right for step in steps[1:]],
            "cells": int(np.unique(image.labels[truth.cells]).size),
        }


def gain(truth: Truth, before: Step, after: Step) -> float | None:
    """By how much a click improved the cell it is about; None without a click."""
    if after.click is None:
        return None
    one, other = (truth.iou_at(after.click, step.mask) for step in (before, after))
    return other - one


def table_4(rows: Sequence[Row], robot: Robot, data: str) -> str:
    """The paper's table with the paper's row beneath ours, as Markdown."""
    numbers = range(robot.clicks + 1)
    ious = [float(np.mean([row["ious"][n] for row in rows])) for n in numbers]
    gains = [mean_gain(rows, n) for n in range(robot.clicks)]
    right = [
        f"{100 * float(np.mean([row['right'][n] for row in rows])):.0f}"
        for n in range(robot.clicks)
    ]
    cells = np.mean([row["cells"] for row in rows])
    return "\n".join(
        [
            f"Robot {robot.name} on {data}: {len(rows)} images with {cells:.0f} cells "
            "on average. The gain is that of the cell that a click is about.",
            "",
            line("clicks", *("none" if n == 0 else f"{n}" for n in numbers)),
            "| --- |" + " ---: |" * len(numbers),
            line("IoU, %", *(f"{100 * one:.1f}" for one in ious)),
            line("... paper, PhC-U373", *(as_printed(PAPER_IOU, n) for n in numbers)),
            line("gain of clicked cells, %", "", *gains),
            line("... paper", *(as_printed(PAPER_GAIN, n) for n in numbers)),
            line("images with all clicks right, %", "", *right),
            "",
        ]
    )


def mean_gain(rows: Sequence[Row], number: int) -> str:
    """Of the click with this number, over the images that it was made on."""
    made = [row["gains"][number] for row in rows if row["gains"][number] is not None]
    return f"{100 * float(np.mean(made)):.1f}" if made else ""


def as_printed(paper: Sequence[float | None], number: int) -> str:
    """What the paper has for a number of clicks, if it has any."""
    value = paper[number] if number < len(paper) else None
    return "" if value is None else f"{value}"
