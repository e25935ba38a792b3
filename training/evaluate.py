"""Robots at work: the evaluation loop and its result files."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from napari_iseg import Clicks
from napari_iseg.segmenter import Predictor, Segmenter
from training.benchmark_sets import BenchmarkObject
from training.metrics import MOST, ClickCurve, iou
from training.robots import RobotUser


def click_curve(
    segmenter: Segmenter,
    found: BenchmarkObject,
    robot: RobotUser,
    names: tuple[str, str, str],
    most: int = MOST,
) -> ClickCurve:
    """A robot's clicks on one object. ``names``: method, data set, robot."""
    predictor = segmenter.prepare(found.image)
    rng = np.random.default_rng(zlib.crc32(found.name.encode()))
    clicks, predicted = Clicks(), np.zeros_like(found.truth)
    rows: list[tuple[float, bool, float]] = []
    while len(clicks) < most:
        click = robot.next_click(found.truth, predicted, clicks, rng, found.ignored)
        if click is None:
            break
        clicks = clicks.adding(click)
        began = time.perf_counter()
        patch = predictor.predict_patch(clicks)
        seconds = time.perf_counter() - began
        predicted = patch.on(predictor.grid) > 0.5
        obeyed = all(predicted[c.row, c.column] == c.is_positive for c in clicks)
        rows.append((iou(found.truth, predicted, found.ignored), obeyed, seconds))
    ious, obeyed_all, times = zip(*rows, strict=True)
    return ClickCurve(*names, found.name, ious, obeyed_all, times)


def evaluate(
    segmenter: Segmenter,
    objects: Iterable[BenchmarkObject],
    robot: RobotUser,
    names: tuple[str, str, str],
    most: int = MOST,
) -> list[ClickCurve]:
    return [click_curve(segmenter, found, robot, names, most) for found in objects]


def write_curves(curves: Sequence[ClickCurve], path: Path) -> None:
    """One JSON line per object, appended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(json.dumps(asdict(curve)) + "\n" for curve in curves)


def read_curves(path: Path) -> list[ClickCurve]:
    """The curves of a result file.

    Raises
    ------
    ValueError
        If a line is no curve: says which.
    """
    curves = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            values = json.loads(line)
            lists = {k: tuple(values[k]) for k in ("ious", "obeyed", "seconds")}
            curves.append(ClickCurve(**{**values, **lists}))
        except (KeyError, TypeError, ValueError) as problem:
            raise ValueError(
                f"line {number} of {path} is no result: {problem}"
            ) from problem
    return curves


def warm_up(predictor: Predictor) -> None:
    """The first answer of a process loads libraries: it is not timed."""
    predictor.predict_patch(Clicks.at(positive=[(0, 0)]))
