"""Table 3 of BRS: an FCN before and after clicks that name the class of a pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg import Click, Clicks
from napari_iseg.refine.class_clicks import ByClass, ClassClick, ClassPredictor
from napari_iseg.widest_error import deepest, depth_of
from training.ablation_tables import line
from training.conversion.journal import Row
from training.metrics.confusion import (
    confusion,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
)

PAPER = (65.4, 70.9, 72.5, 73.5, 74.0, 74.4)  # per cent, 0 to 5 clicks
MEASURES: Mapping[str, Callable[[NDArray[np.int64]], float]] = {
    "mean IoU": mean_iou,
    "mean accuracy of the classes": mean_accuracy,
    "pixels": pixel_accuracy,
}

Classes: TypeAlias = NDArray[np.integer]  # (H, W), below 0 where nothing is known


@dataclass(frozen=True, slots=True)
class Semantic:
    """A robot that names the class of a wrong pixel, ``clicks`` times an image."""

    segmenter: ByClass
    clicks: int = 5

    def measured(self, image: NDArray[Any], truth: Classes, count: int) -> Row:
        """Confusion of ``count`` classes before and after each click."""
        predictor = self.segmenter.prepare(image)
        answers = list(self.answers(predictor, truth))
        return {
            "confusions": [confusion(truth, one, count).tolist() for one, _ in answers],
            "right": [right for _, right in answers[1:]],
        }

    def answers(
        self, predictor: ClassPredictor, truth: Classes
    ) -> Iterator[tuple[Classes, bool]]:
        """What each pixel is said to be, and whether every clicked one is right."""
        clicks: list[ClassClick] = []
        said = predictor.labels()
        yield said, True
        for _ in range(self.clicks):
            click = next_click(truth, said, clicks)
            if click is not None:
                clicks.append(click)
                said = predictor.labels(clicks)
            yield said, all(said[one.row, one.column] == one.label for one in clicks)


def next_click(
    truth: Classes, said: Classes, clicks: Sequence[ClassClick]
) -> ClassClick | None:
    """The deepest pixel of the class that most pixels lack; None if none is wrong.

    As BRS' robot (section 4), which knows two classes.
    """
    wrong = (truth >= 0) & (said != truth)
    before = Clicks(tuple(Click(one.row, one.column, True) for one in clicks))  # noqa: FBT003 - only where
    for label in np.argsort(-np.bincount(truth[wrong], minlength=1), kind="stable"):
        place = deepest(depth_of(wrong & (truth == label), before))
        if place is not None:
            return ClassClick(*place, int(label))
    return None


def table_3(rows: Sequence[Row], clicks: int, data: str) -> str:
    """The paper's table with the paper's row beneath ours, as Markdown.

    ``rows`` are of images; a confusion is that of all of them together.
    """
    numbers = range(clicks + 1)
    totals = [np.sum([row["confusions"][n] for row in rows], axis=0) for n in numbers]
    right = [
        f"{100 * float(np.mean([row['right'][n] for row in rows])):.0f}"
        for n in range(clicks)
    ]
    ours = [
        line(f"{title}, %", *(f"{100 * measure(one):.1f}" for one in totals))
        for title, measure in MEASURES.items()
    ]
    paper = [f"{PAPER[n]}" if n < len(PAPER) else "" for n in numbers]
    return "\n".join(
        [
            f"On {data}: {len(rows)} images, {len(totals[0])} classes. Each click "
            "names the class of the deepest pixel among those of the class that most "
            "pixels lack.",
            "",
            line("clicks", *("none" if n == 0 else f"{n}" for n in numbers)),
            "| --- |" + " ---: |" * len(numbers),
            *ours[:1],
            line("... paper, VOC 2012 validation", *paper),
            *ours[1:],
            line("images with all clicks right, %", "", *right),
            "",
        ]
    )
