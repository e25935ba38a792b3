"""Scenes that are drawn, and random ones."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.classical.scene import Scene


def disc(grid: tuple[int, int], at: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = np.indices(grid)
    return (rows - at[0]) ** 2 + (columns - at[1]) ** 2 <= radius**2


def drawn(mask: np.ndarray, noise: float = 0.03) -> np.ndarray:
    """A bright object on dark ground, ``(h, w, 3)``."""
    rng = np.random.default_rng(0)
    grey = 0.3 + 0.4 * mask + rng.normal(0, noise, mask.shape)
    return np.repeat(np.clip(grey, 0, 1)[..., None], 3, 2).astype(np.float32)


def seeded(mask: np.ndarray, inside: np.ndarray) -> Scene:
    """``inside`` and the frame are known."""
    seeds = inside.astype(np.int8)
    seeds[0] = seeds[-1] = seeds[:, 0] = seeds[:, -1] = -1
    return Scene(drawn(mask), seeds)


@pytest.fixture
def horseshoe() -> tuple[Scene, np.ndarray]:
    """An object that no straight ray from its one seed sees as a whole."""
    grid = (48, 64)
    ring = disc(grid, (24, 32), 20) & ~disc(grid, (24, 32), 11)
    mask = ring & (np.indices(grid)[0] < 34)
    return seeded(mask, disc(grid, (28, 16), 2) & mask), mask


@pytest.fixture
def cell() -> tuple[Scene, np.ndarray]:
    grid = (48, 64)
    mask = disc(grid, (24, 32), 14)
    return seeded(mask, disc(grid, (24, 32), 3)), mask


def tiny_scene(seed: int, height: int = 3, width: int = 4) -> Scene:
    """Random colours; two seeds of different kinds."""
    rng = np.random.default_rng(seed)
    seeds = np.zeros((height, width), np.int8)
    one, other = rng.choice(height * width, 2, replace=False)
    seeds.ravel()[one], seeds.ravel()[other] = 1, -1
    return Scene(rng.random((height, width, 3)).astype(np.float32), seeds)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())
