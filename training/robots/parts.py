"""The connected parts of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg import Clicks
from napari_iseg.arrays import Box, Grid, Mask, bounding_box
from napari_iseg.widest_error import wrong_pixels
from training.robots.places import without_clicked
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class Parts:
    """The 8-connected parts of a mask that can be clicked.

    ``labels`` ``(h, w)`` inside ``box`` of an image of shape ``grid``; ``sizes[label]``
    is 0 for the background and for parts without a clickable pixel.
    """

    grid: Grid
    box: Box
    labels: NDArray[np.int32]
    sizes: NDArray[np.int64]

    def largest(self) -> Mask:
        """The largest part, ``(H, W)``; of several, the one that begins first."""
        equals = np.flatnonzero(self.sizes == self.sizes.max())
        if equals.size == 1:
            return self.part(int(equals[0]))
        first = np.flatnonzero(np.isin(self.labels, equals))[0]
        return self.part(int(self.labels.flat[first]))

    def any_part(self, rng: Rng) -> Mask:
        """A part, ``(H, W)``, drawn in proportion to its size."""
        reached = np.cumsum(self.sizes)
        return self.part(
            int(np.searchsorted(reached, rng.integers(reached[-1]), side="right"))
        )

    def part(self, label: int) -> Mask:
        mask = np.zeros(self.grid, bool)
        mask[self.box.slices] = self.labels == label
        return mask


def parts_of(mask: Mask, counted: Mask, clickable: Mask) -> Parts | None:
    """The parts of ``mask`` that have a clickable pixel; None if there is none.

    All ``(H, W)``; ``counted`` pixels make the size of a part, and ``clickable`` ones
    are among them.
    """
    box = bounding_box(mask)
    if box is None:
        return None
    inside = box.slices
    number, labels = cv2.connectedComponents(
        mask[inside].astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    sizes = np.bincount(labels[counted[inside] & mask[inside]], minlength=number)
    can_be_clicked = np.bincount(labels[clickable[inside]], minlength=number) > 0
    can_be_clicked[0] = False
    if not can_be_clicked.any():
        return None
    return Parts(mask.shape, box, labels, np.where(can_be_clicked, sizes, 0))


def largest_part(mask: Mask, clicks: Clicks) -> Mask:
    """The largest 8-connected part with an unclicked pixel, ``(H, W)``; may be empty.

    Its size counts clicked pixels too.
    """
    parts = parts_of(mask, mask, without_clicked(mask, clicks))
    return np.zeros_like(mask) if parts is None else parts.largest()


def largest_error(
    truth: Mask, predicted: Mask, clicks: Clicks, ignored: Mask | None
) -> tuple[Mask, bool] | None:
    """The largest missing or surplus part, and whether it is missing.

    The missing one where both are equally large; None if no part can be clicked.
    """
    kinds = wrong_pixels(truth, predicted, ignored)
    missing, surplus = (largest_part(errors, clicks) for errors in kinds)
    lacking, extra = np.count_nonzero(missing), np.count_nonzero(surplus)
    if not lacking and not extra:
        return None
    return (missing, True) if lacking >= extra else (surplus, False)
