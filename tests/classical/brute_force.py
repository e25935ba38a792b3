"""Every labelling of a tiny image and what it costs: slow, and surely right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_iseg.classical.banded_cut import Energy


def labellings(count: int) -> NDArray[np.bool_]:
    """``(2**count, count)``."""
    return np.array(list(product([False, True], repeat=count)))


def neighbours(height: int, width: int) -> Iterator[tuple[int, int, float]]:
    """Each pair of neighbours once, by their numbers, and their distance."""
    for row, column in product(range(height), range(width)):
        for down, right in product((-1, 0, 1), repeat=2):
            r, c = row + down, column + right
            one, other = row * width + column, r * width + c
            if 0 <= r < height and 0 <= c < width and one < other:
                yield one, other, float(np.hypot(down, right))


def costs(energy: Energy, weights: dict[tuple[int, int], float]) -> NDArray[np.float64]:
    """What each of the labellings costs; infinite where a seed or a star is broken."""
    seeds, evidence = energy.scene.seeds.ravel(), energy.evidence.ravel()
    labels = labellings(seeds.size)
    total = np.where(labels, np.maximum(-evidence, 0), np.maximum(evidence, 0)).sum(1)
    for (one, other), weight in weights.items():
        total = total + weight * (labels[:, one] != labels[:, other])
    broken = (labels & (seeds < 0)).any(1) | (~labels & (seeds > 0)).any(1)
    if energy.parents is not None:
        broken |= (labels & ~labels[:, energy.parents]).any(1)
    return np.where(broken, np.inf, total)


def cost_of(mask: NDArray[np.bool_], table: NDArray[np.float64]) -> float:
    """The cost of one labelling, from the table of all."""
    bits = "".join("01"[int(label)] for label in mask.ravel())
    return float(table[int(bits, 2)])
