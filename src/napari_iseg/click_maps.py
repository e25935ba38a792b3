"""Clicks as images: the two extra channels a network sees, positive first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid
from napari_iseg.clicks import Click, Clicks

ClickMaps: TypeAlias = NDArray[np.float32]  # (2, H, W)
Points: TypeAlias = Sequence[tuple[float, float]]  # (row, column), may be fractional


class ClickEncoder(Protocol):
    """Clicks to maps."""

    def __call__(self, clicks: Clicks, grid: Grid) -> ClickMaps:
        """``(2, H, W)`` float32 for an image of shape ``grid``."""
        ...


def squared_distance(points: Points, grid: Grid) -> NDArray[np.float32]:
    """Squared distance in pixels from each pixel to the nearest of ``points``.

    ``(H, W)`` float32; infinite where there is no point at all.
    """
    nearest = np.full(grid, np.inf, np.float32)
    rows = np.arange(grid[0], dtype=np.float32)[:, None]
    columns = np.arange(grid[1], dtype=np.float32)
    for row, column in points:
        np.minimum(nearest, (rows - row) ** 2 + (columns - column) ** 2, out=nearest)
    return nearest


def disc_map(points: Points, grid: Grid, radius: float) -> NDArray[np.float32]:
    """Discs with a soft edge around ``points``: 1 inside ``radius``, 0 a pixel further.

    ``(H, W)`` float32. Only the pixels near a point are touched, so the cost does not
    grow with the image.
    """
    drawn = np.zeros(grid, np.float32)
    for row, column in points:
        top, left = (max(0, int(np.floor(v - radius - 1))) for v in (row, column))
        bottom, right = (int(np.ceil(v + radius + 1)) + 1 for v in (row, column))
        place = drawn[top : max(bottom, 0), left : max(right, 0)]
        if place.size == 0:
            continue
        down = np.arange(top, top + place.shape[0], dtype=np.float32)[:, None] - row
        across = np.arange(left, left + place.shape[1], dtype=np.float32) - column
        away = np.sqrt(down * down + across * across)
        np.maximum(place, np.clip(radius + 1 - away, 0, 1), out=place)
    return drawn


def points_of(clicks: Sequence[Click]) -> list[tuple[float, float]]:
    """Row and column of each click."""
    return [(click.row, click.column) for click in clicks]


@dataclass(frozen=True, slots=True)
class DistanceMaps:
    """Euclidean distance to the nearest click, cut at ``limit`` (iFCN, LD, FCTSFN).

    Pixels; ``limit`` everywhere where there is no click of that kind.
    """

    limit: float = 255.0

    def __call__(self, clicks: Clicks, grid: Grid) -> ClickMaps:
        kinds = (clicks.positive, clicks.negative)
        distances = [np.sqrt(squared_distance(points_of(k), grid)) for k in kinds]
        maps: ClickMaps = np.minimum(np.stack(distances), np.float32(self.limit))
        return maps


@dataclass(frozen=True, slots=True)
class NearnessMaps:
    """``1 - min(d, limit) / limit``: 1 on a click, 0 far away (BRS as released)."""

    limit: float = 255.0

    def __call__(self, clicks: Clicks, grid: Grid) -> ClickMaps:
        return 1 - DistanceMaps(self.limit)(clicks, grid) / np.float32(self.limit)


@dataclass(frozen=True, slots=True)
class GaussianMaps:
    """A bump of height 1 around each click, zero beyond ``radius`` (ITIS, 3.1)."""

    sigma: float = 10.0  # pixels
    radius: float = 20.0  # pixels

    def __call__(self, clicks: Clicks, grid: Grid) -> ClickMaps:
        kinds = (clicks.positive, clicks.negative)
        squared = np.stack([squared_distance(points_of(k), grid) for k in kinds])
        bumps = np.exp(-squared / np.float32(2 * self.sigma**2))
        return np.where(squared <= self.radius**2, bumps, np.float32(0))


@dataclass(frozen=True, slots=True)
class DiscMaps:
    """A disc around each click: 1 inside ``radius`` pixels, soft edge of one pixel."""

    radius: float = 3.0

    def __call__(self, clicks: Clicks, grid: Grid) -> ClickMaps:
        kinds = (clicks.positive, clicks.negative)
        return np.stack([disc_map(points_of(k), grid, self.radius) for k in kinds])
