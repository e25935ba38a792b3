"""Clicks are brush strokes that leave room for each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.arrays import Box
from napari_iseg.classical.frame import Frame
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.seeds import SeedRules
from napari_iseg.clicks import Click, Clicks
from tests.classical.conftest import disc, drawn

GRID = (40, 50)


def test_a_click_is_a_disc_of_radius_five():
    seeds = SeedRules().of_clicks(Clicks.at([(20, 30)]), GRID)

    np.testing.assert_array_equal(seeds, disc(GRID, (20, 30), 5).astype(np.int8))


def test_clicks_of_opposite_kind_share_the_space_between_them():
    clicks = Clicks.at([(20, 20)], [(20, 24)])

    seeds = SeedRules().of_clicks(clicks, GRID)

    assert list(seeds[20, 19:26]) == [1, 1, 1, 0, -1, -1, -1]


def test_a_click_beside_another_one_keeps_its_pixel():
    seeds = SeedRules().of_clicks(Clicks.at([(20, 20)], [(20, 21)]), GRID)

    assert list(seeds[20, 20:22]) == [1, -1]


def test_the_later_click_wins_at_the_same_pixel():
    clicks = Clicks.at([(20, 20)]).adding(Click(20, 20, is_positive=False))

    seeds = SeedRules().of_clicks(clicks, GRID)

    assert seeds[20, 20] == -1


@given(
    st.lists(
        st.builds(Click, st.integers(0, 39), st.integers(0, 49), st.booleans()),
        max_size=8,
    )
)
def test_the_last_click_at_each_pixel_is_kept(clicks: list[Click]):
    seeds = SeedRules().of_clicks(Clicks(tuple(clicks)), GRID)

    last = {(c.row, c.column): c.is_positive for c in clicks}
    for (row, column), is_positive in last.items():
        assert seeds[row, column] == (1 if is_positive else -1)


# --------------------------------------------------------------------------- a prior


def test_a_prior_is_certain_away_from_its_outline():
    prior = disc(GRID, (20, 25), 12)

    seeds = SeedRules().of_prior(prior, Clicks())

    assert seeds[20, 25] == 1
    assert seeds[20, 36] == seeds[20, 39] == 0
    assert seeds[0, 0] == -1


def test_a_small_prior_is_certain_in_its_middle():
    prior = disc(GRID, (20, 25), 3)

    seeds = SeedRules().of_prior(prior, Clicks())

    assert seeds[20, 25] == 1


@pytest.mark.parametrize("is_positive", [True, False])
def test_a_click_against_the_prior_frees_its_surroundings(is_positive: bool):
    prior = disc(GRID, (20, 25), 14)
    click = Click(20, 4, is_positive=True) if is_positive else Click(20, 16, False)

    seeds = SeedRules().of_prior(prior, Clicks((click,)))

    assert seeds[click.row, click.column] == 0
    assert (seeds > 0).any()
    assert (seeds < 0).any()


def test_without_a_prior_nothing_is_certain():
    assert not SeedRules().of_prior(np.zeros(GRID, bool), Clicks()).any()


# -------------------------------------------------------------------------- the frame


def scene_with(mask: np.ndarray, at: tuple[int, int]) -> Scene:
    return Scene(drawn(mask), disc(GRID, at, 3).astype(np.int8))


def test_the_frame_is_background():
    scene = scene_with(disc(GRID, (20, 25), 10), (20, 25))

    framed = Frame.of(Box(0, 0, *GRID), GRID).assumed(scene)

    assert (framed.seeds[0] == -1).all()
    assert (framed.seeds[:, -1] == -1).all()
    assert (framed.seeds[1:-1, 1:-1] >= 0).all()


def test_an_object_cut_off_by_the_image_is_not_fenced_in():
    scene = scene_with(disc(GRID, (3, 25), 12), (6, 25))

    framed = Frame.of(Box(0, 0, *GRID), GRID).assumed(scene)

    assert (framed.seeds[0, 18:32] == 0).all()
    assert (framed.seeds[-1] == -1).all()


def test_inside_the_image_the_frame_is_background_whatever_it_looks_like():
    scene = scene_with(disc(GRID, (3, 25), 12), (6, 25))

    framed = Frame.of(Box(0, 0, *GRID).moved(7, 7), (100, 100)).assumed(scene)

    assert (framed.seeds[0] == -1).all()


def test_the_image_border_continues_what_is_beside_it():
    probability = np.zeros(GRID, np.float32)
    probability[1, 10:20] = 1
    probability[5, -2] = 1

    continued = Frame.of(Box(0, 0, *GRID), (40, 60)).continued(probability)

    assert (continued[0, 10:20] == 1).all()
    assert continued[5, -1] == 0  # that side is no border of the image
