"""Clicks as the papers made them up: how many, where, how far apart."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from training.simulated_clicks.ifcn import (
    CELLS,
    ITIS,
    LATENT_DIVERSITY,
    STRATEGIES,
    Ifcn,
)
from training.simulated_clicks.lagged import Lagged
from training.simulated_clicks.medoids import BRS, Medoids, medoids
from training.simulated_clicks.places import (
    covering,
    depth_inside,
    distance_from,
    spaced,
)

GRID = (220, 260)


def disc(radius: float, row: int = 100, column: int = 110) -> Mask:
    rows, columns = np.indices(GRID)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def places(clicks: tuple[Click, ...]) -> list[tuple[int, int]]:
    return [(click.row, click.column) for click in clicks]


def nearest_pair(found: list[tuple[int, int]]) -> float:
    return min(
        (np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in combinations(found, 2)),
        default=np.inf,
    )


@settings(max_examples=25)
@given(seed=st.integers(0, 9999), radius=st.integers(20, 60))
def test_positive_clicks_keep_margin_and_step(seed: int, radius: int) -> None:
    truth = disc(radius)

    found = places(ITIS.clicks(truth, [], rng(seed)).positive)

    assert 1 <= len(found) <= 5
    assert all(depth_inside(truth)[place] >= 5 for place in found)
    assert nearest_pair(found) >= 40


@settings(max_examples=25)
@given(seed=st.integers(0, 9999))
def test_clicks_near_the_object_lie_in_the_band_around_it(seed: int) -> None:
    truth = disc(40)

    found = places(ITIS.of("near object", truth, [], rng(seed)).negative)

    assert len(found) <= 10
    assert all(5 <= distance_from(truth)[place] <= 40 for place in found)
    assert nearest_pair(found) >= 40


def test_latent_diversity_clicks_anywhere_outside_and_never_not_at_all() -> None:
    truth = disc(20)

    rounds = [
        places(LATENT_DIVERSITY.of("near object", truth, [], rng(s)).negative)
        for s in range(30)
    ]

    away = [distance_from(truth)[place] for found in rounds for place in found]
    assert {len(found) for found in rounds} <= set(range(1, 16))
    assert min(len(found) for found in rounds) >= 1
    assert min(away) >= 5
    assert max(away) > 40
    assert min(nearest_pair(found) for found in rounds) >= 10


def test_every_other_object_is_clicked_by_itself() -> None:
    """
    Given two other objects far apart, and a plan of exactly two clicks on each,
    then each has two, inside it and 5 pixels from its outline.
    """
    others = [disc(25, 40, 40), disc(25, 180, 220)]
    plan = Ifcn(on_others=(2, 2), step=10.0)

    found = places(plan.of("on each other", disc(15), others, rng()).negative)

    for other in others:
        assert sum(bool(depth_inside(other)[place] >= 5) for place in found) == 2
    assert len(found) == 4


def test_without_other_objects_the_second_strategy_clicks_nothing() -> None:
    assert not ITIS.of("on each other", disc(30), [], rng()).negative


def test_the_third_strategy_covers_the_band() -> None:
    """No place of the band is far from a click."""
    truth = disc(40)
    band = ITIS.band(truth)

    found = places(ITIS.of("over band", truth, [], rng()).negative)

    clicked = np.zeros(GRID, bool)
    clicked[tuple(np.transpose(found))] = True
    assert len(found) == 10
    assert all(band[place] for place in found)
    assert distance_from(clicked)[band].max() < 45
    assert nearest_pair(found) > 15


def test_covering_begins_by_lot_and_goes_where_it_is_deep_and_far() -> None:
    """Of 7 x 9 pixels; the lot falls on the first, the corner."""

    class First(np.random.Generator):
        def integers(self, *_: object) -> int:
            return 0

    field = np.ones((7, 9), bool)

    found = covering(field, 2, First(np.random.PCG64(0)))

    assert found == [(0, 0), (3, 5)]  # nearly as deep as (3, 4) and farther away


def test_a_small_cell_gets_distances_that_suit_it() -> None:
    """
    Given a cell of radius 6, which has no room for a margin of 5 and two clicks 40
    pixels apart,
    then plans of photographs click it once in its middle,
    and the plan for cells finds room for several, with a margin of its size.
    """
    cell = disc(6)
    many = Ifcn(positive=(3, 3))

    once = many.clicks(cell, [], rng()).positive
    scaled = CELLS.scaled(cell)

    assert len(once) == 1
    assert np.hypot(once[0].row - 100, once[0].column - 110) < 3
    assert scaled.margin == pytest.approx(0.5, rel=0.1)
    assert scaled.step == pytest.approx(4, rel=0.1)
    most = [len(CELLS.clicks(cell, [], rng(s)).positive) for s in range(20)]
    assert max(most) >= 3
    band = [distance_from(cell)[p] for s in range(20) for p in places(
        CELLS.of("near object", cell, [], rng(s)).negative)]  # fmt: skip
    assert max(band) <= 4.2


def test_a_cell_of_a_pixel_is_clicked_all_the_same() -> None:
    dot = np.zeros(GRID, bool)
    dot[7, 9] = True

    for strategy in STRATEGIES:
        found = ITIS.of(strategy, dot, [], rng()).positive
        assert places(found) == [(7, 9)]
    assert not ITIS.clicks(np.zeros(GRID, bool), [], rng()).positive


def test_large_objects_keep_the_papers_distances() -> None:
    assert CELLS.scaled(disc(80)) == CELLS
    assert ITIS.scaled(disc(3)) is ITIS


@pytest.mark.parametrize("plan", [ITIS, LATENT_DIVERSITY, CELLS, BRS])
def test_the_same_chance_brings_the_same_clicks(plan: Ifcn | Medoids) -> None:
    truth, others = disc(30), [disc(20, 40, 40)]

    first, again, other = (plan.clicks(truth, others, rng(s)) for s in (1, 1, 2))

    assert first == again
    assert first != other


def test_all_three_strategies_are_used() -> None:
    """Only the second clicks on another object that is far away."""
    truth, others = disc(20, 40, 40), [disc(20, 190, 230)]
    on_other = [
        any(others[0][p] for p in places(ITIS.clicks(truth, others, rng(s)).negative))
        for s in range(60)
    ]

    assert 5 < sum(on_other) < 40


def test_spacing_ends_where_there_is_no_room() -> None:
    assert len(spaced(np.ones((10, 10), bool), 50, 100, rng())) == 1
    assert len(spaced(np.ones((3, 3), bool), 50, 0, rng())) == 9
    assert spaced(np.zeros((3, 3), bool), 5, 1, rng()) == []


def test_the_medoid_of_a_line_is_its_middle() -> None:
    line = np.array([[0, column] for column in range(9)])

    assert medoids(line, 1, rng()) == [(0, 4)]


def test_two_groups_have_a_medoid_each() -> None:
    plus = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    groups = np.array([(r + 10, c + 10) for r, c in plus]
                      + [(r + 10, c + 90) for r, c in plus])  # fmt: skip

    for seed in range(10):
        assert sorted(medoids(groups, 2, rng(seed))) == [(10, 10), (10, 90)]


def test_as_many_medoids_as_places_are_the_places() -> None:
    few = np.array([(1, 1), (5, 9)])

    assert sorted(medoids(few, 10, rng())) == [(1, 1), (5, 9)]
    assert medoids(few[:0], 3, rng()) == []


@settings(max_examples=10)
@given(seed=st.integers(0, 999))
def test_brs_clicks_the_object_and_a_band_from_5_to_40_pixels(seed: int) -> None:
    truth = disc(30)

    found = BRS.clicks(truth, [], rng(seed))

    assert 1 <= len(found.positive) <= 10
    assert len(found.negative) <= 10
    assert all(truth[place] for place in places(found.positive))
    away = [distance_from(truth)[place] for place in places(found.negative)]
    assert all(5 <= distance <= 40 for distance in away)
    assert len(set(places(found.items))) == len(found)


def test_the_band_of_medoids_shrinks_with_a_cell() -> None:
    cell = disc(6)
    plan = Medoids(negative=(10, 10), scale_below=60.0)

    away = [
        distance_from(cell)[p] for p in places(plan.clicks(cell, [], rng()).negative)
    ]

    assert len(away) == 10
    assert max(away) <= 4.2


class Counted:
    """A plan that clicks the same pixel and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def clicks(self, truth: Mask, others: list[Mask], rng: np.random.Generator):
        self.asked += 1
        return Clicks.at(positive=[(100, 110)])


def test_one_click_an_epoch_corrects_the_answer_of_the_last() -> None:
    """
    Given an object whose right half was missed in the last epoch,
    when it comes again without a reset,
    then its clicks are those of before and one in the middle of what was missed.
    """
    truth, left = disc(40), disc(40)
    left[:, 111:] = False
    plan = Counted()
    lagged = Lagged(plan, reset=0.0)

    first = lagged.clicks("a", truth, [], rng())
    lagged.remember("a", left)
    second = lagged.clicks("a", truth, [], rng())
    lagged.remember("a", truth)
    third = lagged.clicks("a", truth, [], rng())

    assert plan.asked == 1
    assert second.items[:-1] == first.items
    assert second.last.is_positive
    assert truth[second.last.row, second.last.column]
    assert second.last.column > 120
    assert third == second  # nothing was wrong any more


def test_three_objects_in_ten_begin_anew() -> None:
    truth, nothing = disc(20), disc(0)
    plan = Counted()
    lagged, chance = Lagged(plan), rng(5)
    for number in range(200):
        lagged.remember(str(number), nothing)
        lagged.clicked[str(number)] = Clicks.at(positive=[(100, 110)])

    for number in range(200):
        lagged.clicks(str(number), truth, [], chance)

    assert plan.asked == pytest.approx(60, abs=20)


def test_what_was_clicked_and_answered_survives_a_checkpoint(tmp_path: Path) -> None:
    truth, left = disc(40), disc(40)
    left[:, 111:] = False
    lagged = Lagged(reset=0.0)
    lagged.clicks("a", truth, [], rng())
    lagged.remember("a", left)
    torch.save(lagged.state(), tmp_path / "state.pt")

    resumed = Lagged(reset=0.0)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))

    assert resumed.clicks("a", truth, [], rng(3)) == lagged.clicks(
        "a", truth, [], rng(3)
    )
