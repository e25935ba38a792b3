"""Robot users: where the next click goes, given the truth and the answer so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask, bounding_box

Rng = np.random.Generator


class RobotUser(Protocol):
    """A user who knows the truth."""

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        """A click on a wrong pixel; None if there is none left to click.

        All masks ``(H, W)``; ``ignored`` pixels are never wrong.
        """
        ...


def depth_of(errors: Mask, clicks: Clicks) -> NDArray[np.float64]:
    """Distance of each wrong pixel to the nearest right one, ``(H, W)``.

    The image border counts as right; clicked pixels get 0. Exact Euclidean distance.
    """
    depth = np.zeros(errors.shape)
    box = bounding_box(errors)
    if box is None:
        return depth
    padded = np.pad(errors[box.slices], 1)
    exact = cv2.distanceTransform(
        padded.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    depth[box.slices] = exact[1:-1, 1:-1]
    for click in clicks:
        depth[click.row, click.column] = 0
    return depth


def error_depths(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depths of the missing and of the surplus pixels."""
    counted = np.ones_like(truth) if ignored is None else ~ignored
    missing, surplus = truth & ~predicted & counted, ~truth & predicted & counted
    return depth_of(missing, clicks), depth_of(surplus, clicks)


def deeper_error(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None
) -> tuple[NDArray[np.float64], bool]:
    """Depths of the kind of error that is deeper, and whether that is what is missing.

    Surplus pixels come first where both are equally deep.
    """
    missing, surplus = error_depths(truth, predicted, clicks, ignored)
    is_positive = bool(missing.max() > surplus.max())
    return (missing if is_positive else surplus), is_positive


@dataclass(frozen=True, slots=True)
class Ritm:
    """The field's de-facto protocol: the deepest wrong pixel, first maximum.

    Positive only if the missing part is deeper than the surplus one.
    """

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,  # noqa: ARG002 - this robot knows no chance
        ignored: Mask | None = None,
    ) -> Click | None:
        depth, is_positive = deeper_error(truth, predicted, clicks, ignored)
        if depth.max() <= 0:
            return None
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return Click(int(row), int(column), is_positive)


@dataclass(frozen=True, slots=True)
class Hasty:
    """Anywhere in the deeper half of the deepest error: a person in a hurry."""

    share: float = 0.5  # of the greatest depth

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        depth, is_positive = deeper_error(truth, predicted, clicks, ignored)
        if depth.max() <= 0:
            return None
        near = np.flatnonzero(depth > depth.max() * self.share)
        row, column = np.unravel_index(int(rng.choice(near)), depth.shape)
        return Click(int(row), int(column), is_positive)


ROBOTS: Mapping[str, RobotUser] = {"ritm": Ritm(), "hasty": Hasty()}
