"""Masks to start from: a truth, spoilt until it needs correcting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Mask
from training.extent import box_around, radius_of, widened
from training.metrics import inner_rim, iou

WORST, BEST = 0.75, 0.85  # IoU of a start
FEWEST = 3  # pixels: a smaller object cannot be spoilt so little
DEFECTS: Mapping[str, float] = {"boundary": 0.65, "outside": 0.25, "inside": 0.10}
BLOB = (0.15, 0.5)  # radius of a defect, in radii of a disc as large as the object
AWAY = 2.0  # how far from the object a defect outside may lie, in the same radii
TRIES = 200  # defects; a dozen is usual

Places: TypeAlias = NDArray[np.int64]  # (n, 2), row and column


def degraded_start(
    truth: Mask, rng: np.random.Generator, ignored: Mask | None = None
) -> Mask:
    """The truth with defects, as a mask to correct: IoU with it .75 to .85.

    The recipe of DAVIS-585 (FocalClick, CVPR 2022): defects of the boundary (65 %),
    outside (25 %) and inside the object (10 %) until the IoU is in that range. Theirs
    are superpixels of the image, ours are discs: the recipe needs no image and works
    alike on cells.

    Parameters
    ----------
    truth, ignored
        ``(H, W)``; nothing is drawn on ignored pixels, and they do not count.
    rng
        The same state gives the same mask.

    Returns
    -------
    ``(H, W)``, a new array.

    Raises
    ------
    ValueError
        If the object has fewer than 3 pixels that count, or no room for defects.
    """
    counted = np.ones_like(truth) if ignored is None else ~ignored
    truth = truth & counted
    area = np.count_nonzero(truth)
    if area < FEWEST:
        raise ValueError(
            f"an object of {area} pixels cannot be spoilt to an IoU between {WORST} "
            f"and {BEST}; leave out objects of fewer than {FEWEST} pixels"
        )
    goal = rng.uniform(WORST, max(WORST, BEST - 1 / area))
    places = defect_places(truth, counted)
    mask = truth.copy()
    enough = min(BEST, goal + 1 / area)
    for _ in range(TRIES):
        if iou(truth, mask, ignored) <= enough:
            return mask
        spoil(mask, truth, counted, places, goal, rng)
    reached = iou(truth, mask, ignored)
    if reached > BEST:
        raise ValueError(
            f"an object of {area} pixels in an image of {truth.shape} has no room for "
            f"defects: its IoU is still {reached:.2f}; leave it out"
        )
    return mask


def spoil(
    mask: Mask,
    truth: Mask,
    counted: Mask,
    places: Mapping[str, Places],
    goal: float,
    rng: np.random.Generator,
) -> None:
    """Put one defect into ``mask``, smaller than drawn if it would miss the goal."""
    chances = np.array([DEFECTS[kind] for kind in places])
    kind = rng.choice(list(places), p=chances / chances.sum())
    adds = kind == "outside" or (kind == "boundary" and bool(rng.random() < 0.5))
    centre = rng.choice(places[kind])
    radius = max(1.0, rng.uniform(*BLOB) * radius_of(truth))
    still_right = counted & (truth == mask) & (truth != adds)
    found = nearest_first(still_right, centre, radius)
    rows, columns = found[: pixels_left(truth, mask, goal, adds=adds)].T
    mask[rows, columns] = adds


def nearest_first(mask: Mask, centre: NDArray[np.int64], radius: float) -> Places:
    """The true pixels in a disc around ``centre``."""
    row, column = (int(v) for v in centre)
    box = widened(Box(row, column, row + 1, column + 1), math.ceil(radius), mask.shape)
    places: Places = np.argwhere(mask[box.slices]) + np.array([box.top, box.left])
    away = np.hypot(*(places - centre).T)
    return places[np.argsort(away, kind="stable")[: np.count_nonzero(away <= radius)]]


def pixels_left(truth: Mask, mask: Mask, goal: float, *, adds: bool) -> int:
    """How many more pixels may be added (or removed) before the IoU is below goal."""
    both, either = np.count_nonzero(truth & mask), np.count_nonzero(truth | mask)
    left = both / goal - either if adds else both - goal * either
    return max(0, math.floor(left + 1e-9))


def defect_places(truth: Mask, counted: Mask) -> dict[str, Places]:
    """Where a kind of defect may have its centre; kinds without room are left out."""
    places = {
        "boundary": np.argwhere(inner_rim(truth, 1)),
        "outside": np.argwhere(surroundings(truth) & counted),
        "inside": np.argwhere(truth),
    }
    return {kind: found for kind, found in places.items() if len(found)}


def surroundings(truth: Mask) -> Mask:
    """What lies outside the object, but not further than ``AWAY``."""
    reach = math.ceil(AWAY * radius_of(truth))
    inside = box_around(truth, reach).slices
    outside = ~truth[inside]
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    around = np.zeros_like(truth)
    around[inside] = outside & (away <= reach)
    return around
