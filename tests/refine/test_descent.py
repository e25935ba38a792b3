"""A refinement goes downhill, stops when it may, and can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.refine.descent import (
    Bounds,
    Cancelled,
    Descent,
    Landscape,
    descended,
)

START = np.array([-1.5, 2.0])
FAR = np.inf


def valley(values: np.ndarray) -> tuple[float, np.ndarray]:
    """Rosenbrock's: narrow and bent; its bottom is 0 at (1, 1)."""
    x, y = values
    energy = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return float(energy), np.array(slope)


def walked(below: float, bounds: Bounds, is_cancelled=lambda: False) -> Descent:
    """Down the valley; content where its energy is below."""
    land = Landscape(valley, lambda values: valley(values)[0] < below)
    return descended(land, START, bounds, is_cancelled)


def test_it_ends_where_the_user_is_content() -> None:
    found = walked(1.0, Bounds(iterations=100))

    assert found.end == "content"
    assert valley(found.values)[0] == found.energies[-1] < 1.0
    assert found.energies[-2] >= 1.0


def test_the_energy_never_rises() -> None:
    found = walked(0.0, Bounds(iterations=100))

    assert len(found.energies) > 10
    assert list(found.energies) == sorted(found.energies, reverse=True)
    assert found.energies[0] == valley(START)[0]


def test_someone_who_is_content_at_once_costs_nothing() -> None:
    found = walked(FAR, Bounds())

    assert (found.energies, found.evaluations, found.end) == ((), 0, "content")
    np.testing.assert_array_equal(found.values, START)


def test_no_more_iterations_than_allowed() -> None:
    found = walked(0.0, Bounds(iterations=3))

    assert found.end == "iterations"
    assert len(found.energies) == 1 + 3


def test_the_time_is_bounded() -> None:
    found = walked(0.0, Bounds(iterations=100, seconds=0))

    assert found.end == "time"
    assert len(found.energies) == 1 + 1


def test_where_nothing_is_better_it_says_so() -> None:
    flat = Landscape(lambda _: (1.0, np.zeros(2)), lambda _: False)

    found = descended(flat, START, Bounds(), lambda: False)

    assert found.end == "minimum"


def test_it_can_be_cancelled_on_the_way() -> None:
    asked = iter([False, False, False, True])

    with pytest.raises(Cancelled):
        walked(0.0, Bounds(iterations=100), lambda: next(asked))
