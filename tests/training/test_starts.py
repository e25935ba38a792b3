"""A spoilt truth is a mask that somebody would want to correct."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.metrics import iou
from training.starts import degraded_start


def disc(radius: float, grid: tuple[int, int] = (80, 90)) -> np.ndarray:
    rows, columns = np.indices(grid)
    return (rows - 40) ** 2 + (columns - 45) ** 2 <= radius**2


@given(radius=st.floats(1, 38), seed=st.integers(0, 9999))
def test_a_start_overlaps_the_truth_by_three_quarters_and_a_bit(
    radius: float, seed: int
) -> None:
    truth = disc(radius)

    start = degraded_start(truth, np.random.default_rng(seed))

    assert 0.75 <= iou(truth, start) <= 0.85


@given(
    truth=arrays(bool, (7, 9)), ignored=arrays(bool, (7, 9)), seed=st.integers(0, 99)
)
def test_even_a_handful_of_scattered_pixels_can_be_spoilt_or_is_refused(
    truth: np.ndarray, ignored: np.ndarray, seed: int
) -> None:
    before = truth.copy()
    try:
        start = degraded_start(truth, np.random.default_rng(seed), ignored)
    except ValueError:
        return

    assert 0.75 <= iou(truth, start, ignored) <= 0.85
    assert not (start & ignored).any()
    np.testing.assert_array_equal(truth, before)


def test_the_same_seed_spoils_the_same_way_and_another_seed_otherwise() -> None:
    first, again, other = (
        degraded_start(disc(20), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_there_are_defects_of_the_boundary_outside_and_inside() -> None:
    truth = disc(20)
    starts = [degraded_start(truth, np.random.default_rng(seed)) for seed in range(60)]

    def share(region: np.ndarray) -> float:
        return float(np.mean([(start != truth)[region].any() for start in starts]))

    assert share(disc(23) & ~disc(17)) > 0.95
    assert share(~disc(32)) > 0.1
    assert share(disc(6)) > 0.1


def test_an_object_of_two_pixels_cannot_be_spoilt_so_little() -> None:
    truth = np.zeros((9, 9), bool)
    truth[4, 4:6] = True

    with pytest.raises(ValueError, match="an object of 2 pixels cannot be spoilt"):
        degraded_start(truth, np.random.default_rng(0))


def test_an_object_without_room_is_refused() -> None:
    truth = np.ones((1, 3), bool)

    with pytest.raises(ValueError, match=r"no room for defects: .* still 1\.00"):
        degraded_start(truth, np.random.default_rng(0))
