"""Pixels whose label is certain: what clicks, other objects and a prior say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg.arrays import Grid, Mask
from napari_iseg.classical.scene import Seeds
from napari_iseg.clicks import Click, Clicks


@dataclass(frozen=True, slots=True)
class SeedRules:
    """How far a click reaches. Pixels."""

    radius: float = 5.0  # a click as a brush stroke, as the baselines were measured
    sure: float = 8.0  # a prior is trusted this far from its outline, or half as deep
    # as it is thick
    doubt: float = 2.0  # ... but not around a click that contradicts it: this many
    # times the distance by which it is wrong there

    def of_clicks(self, clicks: Clicks, grid: Grid) -> Seeds:
        """A disc around each click that stays nearer to it than to its rivals.

        Of two contradicting clicks at one pixel the later one wins.
        """
        seeds = np.zeros(grid, np.int8)
        for click in clicks:
            around, away = neighbourhood(click, self.radius, grid)
            near = away <= self.radius
            for rival in clicks:
                if rival.is_positive != click.is_positive:
                    near &= away < neighbourhood_of(rival, around)
            seeds[around][near] = 1 if click.is_positive else -1
        return with_clicks(seeds, clicks)

    def of_prior(self, prior: Mask, clicks: Clicks) -> Seeds:
        """What is deep inside or far outside of ``prior``, unless a click objects."""
        depth = signed_depth(prior)
        seeds = np.zeros(prior.shape, np.int8)
        thickness = float(depth.max())
        if not thickness > 0:
            return seeds
        seeds[depth >= min(self.sure, thickness / 2)] = 1
        seeds[depth <= -min(self.sure, thickness)] = -1
        for click in clicks:
            wrong = depth[click.row, click.column] * (-1 if click.is_positive else 1)
            if wrong > 0:
                around, away = neighbourhood(click, self.doubt * wrong, prior.shape)
                seeds[around][away <= self.doubt * wrong] = 0
        return seeds


def with_clicks(seeds: Seeds, clicks: Clicks) -> Seeds:
    """``seeds`` with the clicked pixels themselves, the latest last."""
    for click in clicks:
        seeds[click.row, click.column] = 1 if click.is_positive else -1
    return seeds


def signed_depth(mask: Mask) -> NDArray[np.float64]:
    """Distance to the outline of ``mask``: positive inside, negative outside."""
    if not mask.any():
        return np.zeros(mask.shape)
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    depth: NDArray[np.float64] = inside - outside
    return depth


Around = tuple[slice, slice]


def neighbourhood(
    click: Click, radius: float, grid: Grid
) -> tuple[Around, NDArray[np.float64]]:
    """The part of the image around a click, and each pixel's distance to it."""
    reach = int(np.ceil(radius))
    rows, columns = (
        slice(max(0, at - reach), min(size, at + reach + 1))
        for at, size in zip((click.row, click.column), grid, strict=True)
    )
    return (rows, columns), neighbourhood_of(click, (rows, columns))


def neighbourhood_of(click: Click, around: Around) -> NDArray[np.float64]:
    """Distance of each pixel of ``around`` to a click."""
    rows, columns = (np.arange(part.start, part.stop) for part in around)
    away: NDArray[np.float64] = np.hypot(
        rows[:, None] - click.row, columns[None, :] - click.column
    )
    return away
