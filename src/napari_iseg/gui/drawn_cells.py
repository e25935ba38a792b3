"""Cells that a program draws: a z-stack and a time series without any download."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

Stack = NDArray[np.uint16]


def stack_of_cells(
    shape: tuple[int, int, int] = (24, 256, 256), cells: int = 22, seed: int = 1
) -> Stack:
    """Ellipsoids of uneven brightness in a noisy volume, ``(z, y, x)`` uint16."""
    rng = np.random.default_rng(seed)
    volume = np.zeros(shape, np.float32)
    for centre in _apart(rng, shape, cells, distance=34):
        radii = rng.uniform((4, 11, 11), (7, 19, 19))
        _paint(volume, centre, radii, rng.uniform(0.5, 1.0))
    return _photographed(volume, rng)


def dividing_cells(
    shape: tuple[int, int, int] = (16, 256, 256), cells: int = 9, seed: int = 2
) -> Stack:
    """Cells that wander, of which some become two, ``(t, y, x)`` uint16."""
    rng = np.random.default_rng(seed)
    frames, height, width = shape
    movie = np.zeros(shape, np.float32)
    starts = _apart(rng, (1, height, width), cells, distance=52)[:, 1:]
    for start in starts:
        step = rng.normal(0, 1.2, 2)
        radii = rng.uniform(12, 17, 2)
        divides_at = rng.integers(4, 2 * frames)
        away: NDArray[np.float64] = rng.normal(0, 1, 2)
        away /= np.linalg.norm(away)
        light = rng.uniform(0.5, 1.0)
        for t in range(frames):
            age = max(0, t - int(divides_at))
            apart = away * min(16.0, 4.0 * age)
            small = radii if age == 0 else radii * 0.75
            for offset in (apart, -apart) if age else (apart,):
                _paint(movie[t], start + step * t + offset, small, light)
    return _photographed(movie, rng)


def _apart(
    rng: np.random.Generator, shape: tuple[int, int, int], count: int, distance: float
) -> NDArray[np.float64]:
    """Places of which no two are closer than ``distance`` in y and x, if they fit."""
    places: list[NDArray[np.float64]] = []
    for _ in range(200 * count):
        place = rng.uniform((0.25 * shape[0], 20, 20), np.array(shape) - (0, 20, 20))
        if all(np.linalg.norm((place - other)[1:]) > distance for other in places):
            places.append(place)
        if len(places) == count:
            break
    return np.array(places)


def _paint(
    image: NDArray[np.float32],
    centre: NDArray[np.float64],
    radii: NDArray[np.float64],
    light: float,
) -> None:
    grids = np.ogrid[tuple(slice(0, n) for n in image.shape)]
    distance = sum(
        ((g - c) / r) ** 2 for g, c, r in zip(grids, centre, radii, strict=True)
    )
    # bright inside, soft at the edge: membranes are not steps
    body = light * special.expit(8 * (1 - np.asarray(distance, np.float32)))
    np.maximum(image, body.astype(np.float32), out=image)


def _photographed(stack: NDArray[np.float32], rng: np.random.Generator) -> Stack:
    """Texture, blur, background and shot noise, as a camera with 12 bits counts."""
    texture = ndimage.gaussian_filter(rng.normal(0, 1, stack.shape), (0.5, 2, 2))
    lit = stack * (1 + 0.9 * texture.astype(np.float32)) + 0.06
    photons = rng.poisson(np.clip(ndimage.gaussian_filter(lit, (0, 1, 1)), 0, 2) * 300)
    counts = photons * 10 + rng.normal(100, 6, stack.shape)
    return np.asarray(np.clip(counts, 0, 4095), np.uint16)
