"""Drawn cells: label images of shapes that the training sets lack."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator


def drawn_labels(side: int, rng: Rng) -> NDArray[np.uint16]:
    """A field of cells of one kind, ``(side, side)``: 0 = background."""
    labels = np.zeros((side, side), np.uint16)
    outline = KINDS[rng.integers(len(KINDS))]
    radius = side * np.exp(rng.uniform(np.log(0.05), np.log(0.28)))
    count = int(np.clip(rng.uniform(0.15, 0.7) * side**2 / (3.5 * radius**2), 1, 60))
    for label in range(1, count + 1):
        centre = rng.uniform(0, side, 2)
        points = centre + outline(radius * rng.uniform(0.7, 1.35), rng)
        place(labels, points, label)
    return labels


def place(labels: NDArray[np.uint16], points: NDArray[np.float64], label: int) -> None:
    """Fill an outline where no other cell is yet."""
    drawn = np.zeros(labels.shape, np.uint8)
    cv2.fillPoly(drawn, [np.round(points * 8).astype(np.int32)], 1, shift=3)
    labels[(drawn > 0) & (labels == 0)] = label


def angles() -> NDArray[np.float64]:
    return np.linspace(0, 2 * np.pi, 72, endpoint=False)


def harmonics(rng: Rng, strength: float, orders: int) -> NDArray[np.float64]:
    """A closed wobble around 1: low orders are strongest."""
    t, wobble = angles(), np.ones(72)
    for k in range(2, 2 + orders):
        wobble += (
            strength / (k - 1) * rng.normal() * np.cos(k * t + rng.uniform(0, 6.3))
        )
    return np.clip(wobble, 0.25, None)


def turned(
    x: NDArray[np.float64], y: NDArray[np.float64], rng: Rng
) -> NDArray[np.float64]:
    a = rng.uniform(0, 2 * np.pi)
    return np.stack([x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)], 1)


def round_cell(radius: float, rng: Rng) -> NDArray[np.float64]:
    r = radius * harmonics(rng, rng.uniform(0, 0.15), 4)
    ratio = rng.uniform(1, 1.5)
    return turned(r * np.cos(angles()) * ratio, r * np.sin(angles()) / ratio, rng)


def lobed_cell(radius: float, rng: Rng) -> NDArray[np.float64]:
    r = radius * harmonics(rng, rng.uniform(0.15, 0.4), 7)
    return turned(r * np.cos(angles()), r * np.sin(angles()), rng)


def spiky_cell(radius: float, rng: Rng) -> NDArray[np.float64]:
    """A body with two to six thin arms, as adherent cells and neurons have."""
    t, r = angles(), 0.6 * harmonics(rng, 0.15, 4)
    for _ in range(rng.integers(2, 7)):
        turn = (t - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi
        r = r + rng.uniform(0.5, 1.8) * np.exp(-np.abs(turn) / rng.uniform(0.06, 0.25))
    return turned(radius * r * np.cos(t), radius * r * np.sin(t), rng)


def spindle_cell(radius: float, rng: Rng) -> NDArray[np.float64]:
    t, length = angles(), rng.uniform(1.8, 3.5)
    thin = np.abs(np.sin(t)) ** rng.uniform(0.6, 1.6) * np.sign(np.sin(t))
    bend = rng.uniform(-0.35, 0.35) * np.cos(t) ** 2 * length
    wobble = harmonics(rng, 0.08, 5)
    return turned(
        radius * length * np.cos(t) * wobble, radius * (0.7 * thin + bend), rng
    )


def rod_cell(radius: float, rng: Rng) -> NDArray[np.float64]:
    t, length, bend = angles(), rng.uniform(1.2, 3.5), rng.uniform(-0.15, 0.15)
    x = np.clip(np.cos(t) * 1.6, -1, 1) * length
    return turned(radius * x, radius * (0.45 * np.sin(t) + bend * x**2), rng)


KINDS = (
    round_cell,
    round_cell,
    lobed_cell,
    spiky_cell,
    spiky_cell,
    spindle_cell,
    rod_cell,
)
