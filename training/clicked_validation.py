"""A robot clicks on held-out objects while a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_iseg.segmenter import Segmenter
from training.datasets import BenchmarkObject
from training.evaluation.clicking import Clicking, click_curve, replayed
from training.evaluation.working import one_thread
from training.images import IGNORED, LabelledImage
from training.logs import append
from training.metrics import ClickCurve, summary
from training.report.sheets import Case, sheet
from training.robots import ROBOTS
from training.sources import TrainingSet

ROBOT = "ritm"
SHOWN = ("iou@1", "noc85", "noc90", "failures90")
COLUMNS = ("step", "robot", "objects", *SHOWN)
ON_A_SHEET = 12  # objects
CLICKS_SHOWN = 3  # after which the answer is drawn


@dataclass(frozen=True, slots=True)
class ClickedValidation:
    """Some held-out objects of every set, always the same ones."""

    objects: tuple[BenchmarkObject, ...]

    def measured(self, segmenter: Segmenter) -> list[ClickCurve]:
        """A robot's clicks on every object."""
        with one_thread():
            return [
                click_curve(segmenter, found, ROBOTS[ROBOT], names_of(found))
                for found in self.objects
            ]

    def log(self, segmenter: Segmenter, step: int, folder: Path) -> dict[str, float]:
        """Measure, append to ``clicks.csv``, draw a sheet; the row of the table."""
        curves = self.measured(segmenter)
        row = summary(curves)
        values = [f"{row[name]:.4f}" for name in SHOWN]
        append(folder / "clicks.csv", COLUMNS, [step, ROBOT, len(curves), *values])
        self.draw(segmenter, curves, folder / "sheets" / f"{step:07d}.png", step)
        return {name: row[name] for name in SHOWN}

    def draw(
        self, segmenter: Segmenter, curves: list[ClickCurve], path: Path, step: int
    ) -> None:
        """Objects with the first clicks and the answer to them, as a PNG."""
        how = Clicking(most=CLICKS_SHOWN)
        pairs = list(zip(self.objects, curves, strict=True))[:ON_A_SHEET]
        cases = [
            Case(found, first_of(curve), replayed(segmenter, found, curve, how))
            for found, curve in pairs
        ]
        path.parent.mkdir(exist_ok=True)
        title = f"step {step}: after {CLICKS_SHOWN} clicks of robot {ROBOT}"
        sheet(title, cases).savefig(path, dpi=80)


def first_of(curve: ClickCurve) -> ClickCurve:
    """The first clicks of a curve: what is drawn."""
    series = ("ious", "obeyed", "seconds", "clicks")
    return ClickCurve(
        curve.method,
        curve.data,
        curve.robot,
        curve.sample,
        **{name: getattr(curve, name)[:CLICKS_SHOWN] for name in series},
    )


def names_of(found: BenchmarkObject) -> tuple[str, str, str]:
    return "cells", found.name.split("/")[0], ROBOT


def chosen_objects(
    sets: Mapping[str, TrainingSet], number: int, seed: int
) -> ClickedValidation:
    """``number`` objects, the sets in turn, each of an image drawn by lot."""
    rng = np.random.default_rng((seed, 2))
    images = [[i for i in data.images if i.objects] for data in sets.values()]
    filled = [found for found in images if found]
    if not filled:
        raise ValueError("no held-out image has an object; check the data sets")
    found = []
    for at in range(number):
        group = filled[at % len(filled)]
        image = group[int(rng.integers(len(group)))]
        found.append(object_of(image, int(rng.choice(list(image.objects)))))
    return ClickedValidation(tuple(found))


def object_of(image: LabelledImage, label: int) -> BenchmarkObject:
    """A labelled object as robots are shown it."""
    ignored = image.labels == IGNORED
    others = (image.labels > 0) & ~ignored & (image.labels != label)
    name = f"{image.name}/{label}"
    return BenchmarkObject(
        name, image.image, image.labels == label, ignored, others=others
    )
