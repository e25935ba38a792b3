"""The human robot is as careless as it says, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg import Click, Clicks
from training.robots import Human

Array = np.ndarray


def disc(radius: int, grid: tuple[int, int] = (90, 90)) -> Array:
    rows, columns = np.indices(grid)
    return (rows - 45) ** 2 + (columns - 45) ** 2 <= radius**2


def clicks_of(human: Human, truth: Array, predicted: Array, times: int) -> list[Click]:
    found = [
        human.next_click(truth, predicted, Clicks(), np.random.default_rng(seed))
        for seed in range(times)
    ]
    assert None not in found
    return [click for click in found if click is not None]


def test_one_click_in_twenty_is_on_the_wrong_side_and_keeps_its_sign() -> None:
    truth, predicted = disc(30), disc(20)  # a ring is missing

    found = clicks_of(Human(), truth, predicted, times=600)

    assert all(click.is_positive for click in found)
    slips = [c for c in found if not truth[c.row, c.column]]
    assert len(slips) == pytest.approx(30, abs=20)
    assert not any(disc(20)[c.row, c.column] for c in found)


def test_a_slip_lands_beside_the_error() -> None:
    truth, predicted = disc(30), disc(20)

    found = clicks_of(Human(slips=1), truth, predicted, times=100)

    reach = 3 * 0.08 * 30 + 1
    away = [np.hypot(c.row - 45, c.column - 45) for c in found]
    assert min(away) > 30
    assert max(away) <= 30 + reach + 1


def test_a_negative_click_may_slip_onto_the_object() -> None:
    truth, predicted = disc(20), disc(30)

    found = clicks_of(Human(slips=1), truth, predicted, times=50)

    assert not any(click.is_positive for click in found)
    assert all(truth[click.row, click.column] for click in found)


def test_nobody_slips_over_a_boundary_that_is_far_away() -> None:
    truth = disc(40)
    predicted = truth & ~disc(5)  # a hole in the middle

    found = clicks_of(Human(slips=1), truth, predicted, times=50)

    assert all(disc(5)[click.row, click.column] for click in found)


def test_a_careful_person_clicks_the_deeper_half_of_the_largest_error() -> None:
    truth, nothing = disc(30), np.zeros((90, 90), bool)

    found = clicks_of(Human(tremor=0, slips=0), truth, nothing, times=200)

    away = [np.hypot(c.row - 45, c.column - 45) for c in found]
    assert max(away) <= 16
    assert np.mean(away) > 5  # and not its centre


def test_the_tremor_grows_with_the_object() -> None:
    nothing = np.zeros((90, 90), bool)
    steady = Human(off_centre=1, tremor=0.1, slips=0)

    spread = [
        np.std([c.row for c in clicks_of(steady, disc(radius), nothing, times=200)])
        for radius in (10, 40)
    ]

    assert spread == pytest.approx([1, 4], rel=0.2)


def test_a_hand_never_leaves_the_image() -> None:
    truth = np.zeros((20, 20), bool)
    truth[:2, :2] = True
    shaky = Human(tremor=30, slips=0.5)

    found = clicks_of(shaky, truth, np.zeros_like(truth), times=100)

    for click in found:
        Clicks((click,)).check_inside((20, 20))
