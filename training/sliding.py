"""More regions than clicks give: they slide along an outline (RIS-Net 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Grid, Mask
from napari_iseg.nets.papers.click_regions import moved_inside

REGIONS = 5  # of each image, N_ROI


def with_slid(boxes: Sequence[Box], truth: Mask, number: int = REGIONS) -> list[Box]:
    """``boxes``, and others between neighbours on the outline: ``number`` in all.

    A new box is as large as the mean of its neighbours. It lies on the shorter path
    between them: gaps are filled in turn, in equal steps, the longest stays empty. A
    single box has no neighbour and stays alone: the paper repeats it, which adds
    nothing to eq. 2. ``truth`` is ``(H, W)``; all of ``boxes`` are kept.
    """
    lacking = number - len(boxes)
    outline = longest_outline(truth)
    if lacking <= 0 or len(boxes) == 1 or not len(outline):
        return list(boxes)
    places = np.array([nearest_on(outline, box) for box in boxes])
    order = np.argsort(places, kind="stable")
    gaps = gaps_between(places[order], len(outline))
    filled = [
        lacking // len(gaps) + (n < lacking % len(gaps)) for n in range(len(gaps))
    ]
    found = list(boxes)
    for (at, length), extra in zip(gaps, filled, strict=True):
        pair = boxes[order[at]], boxes[order[(at + 1) % len(boxes)]]
        for step in range(1, extra + 1):
            way = places[order[at]] + round(length * step / (extra + 1))
            found.append(square_at(outline[way % len(outline)], pair, truth.shape))
    return found


def longest_outline(truth: Mask) -> NDArray[np.int64]:
    """Pixels of the outline in order, ``(n, 2)``, row first; none without an object."""
    lines, _ = cv2.findContours(
        truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not lines:
        return np.zeros((0, 2), np.int64)
    return max(lines, key=len)[:, 0, ::-1].astype(np.int64)


def nearest_on(outline: NDArray[np.int64], box: Box) -> int:
    """Which pixel of the outline is nearest to the box's middle."""
    middle = np.array([box.top + box.bottom, box.left + box.right]) / 2
    return int(((outline - middle) ** 2).sum(1).argmin())


def gaps_between(places: NDArray[np.int64], around: int) -> list[tuple[int, int]]:
    """Which box a gap follows and how long it is: all gaps but the longest one.

    So each pair of neighbours is joined by the shorter path.
    """
    lengths = np.diff([*places, places[0] + around])
    kept = [at for at in range(len(lengths)) if at != int(lengths.argmax())]
    return [(at, int(lengths[at])) for at in kept]


def square_at(place: NDArray[np.int64], pair: tuple[Box, Box], grid: Grid) -> Box:
    """A square around a pixel, as large as two others on average."""
    side = round(sum(max(box.shape) for box in pair) / 2)
    top, left = (int(v) - side // 2 for v in place)
    return moved_inside(Box(top, left, top + side, left + side), grid)
