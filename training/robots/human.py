"""A robot that clicks as people do: near enough, and now and then beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import Place, depth_of
from training.extent import box_around, radius_of
from training.robots.parts import largest_error
from training.robots.places import any_of, without_clicked
from training.robots.robot import Rng

TRIES = 10  # a hand that trembles out of the error aims again


@dataclass(frozen=True, slots=True)
class Human:
    """Sees the largest error, aims off its centre, trembles, slips now and then.

    No paper's robot: people do not click centres (RClicks), and a method that only
    ever saw centres is worth less to them.

    Attributes
    ----------
    off_centre
        Aims anywhere that is at least so deep, as a share of the greatest depth.
    tremor
        Standard deviation of the hand, in radii of a disc as large as the object.
    slips
        How often the click lands on the wrong side of the object's boundary, next to
        the error. It keeps the sign the person meant: it is wrong. Where the error does
        not reach near the boundary there is nothing to slip over.
    """

    off_centre: float = 0.5
    tremor: float = 0.08
    slips: float = 0.05

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        found = largest_error(truth, predicted, clicks, ignored)
        if found is None:
            return None
        region, is_positive = found
        counted = np.ones_like(truth) if ignored is None else ~ignored
        tremor = self.tremor * radius_of(truth & counted)
        if rng.random() < self.slips:
            wrong_side = without_clicked(counted & (truth != is_positive), clicks)
            beside = wrong_side & near(region, tremor)
            if beside.any():
                return Click(*any_of(beside, rng), is_positive)
        return Click(*self.trembling(region, clicks, tremor, rng), is_positive)

    def trembling(self, region: Mask, clicks: Clicks, tremor: float, rng: Rng) -> Place:
        """An unclicked pixel of ``region``, about where the person aimed."""
        depth = depth_of(region, clicks)
        aim = any_of(depth >= max(depth.max() * self.off_centre, 1), rng)
        landed = np.rint(aim + rng.normal(0, tremor, (TRIES, 2))).astype(int)
        inside = ((landed >= 0) & (landed < region.shape)).all(axis=1)
        for row, column in landed[inside]:
            if depth[row, column] > 0:
                return int(row), int(column)
        return aim


def near(region: Mask, tremor: float) -> Mask:
    """``region`` and what lies within three standard deviations, at least a pixel."""
    reach = max(1, math.ceil(3 * tremor))
    inside = box_around(region, reach).slices
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    grown = np.zeros_like(region)
    grown[inside] = cv2.dilate(region[inside].astype(np.uint8), disc) > 0
    return grown
