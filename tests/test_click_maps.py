"""Clicks as images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.click_maps import (
    ClickEncoder,
    DiscMaps,
    DistanceMaps,
    GaussianMaps,
    NearnessMaps,
    disc_map,
)
from napari_iseg.clicks import Click, Clicks

ENCODERS = (DistanceMaps(), NearnessMaps(), GaussianMaps(), DiscMaps())
GRID = (23, 31)
places = st.tuples(st.integers(0, 22), st.integers(0, 30))
click_lists = st.lists(places, max_size=4)


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
class TestEveryEncoder:
    def test_draws_two_float_maps(self, encoder: ClickEncoder) -> None:
        maps = encoder(Clicks.at(positive=[(3, 4)]), GRID)

        assert maps.shape == (2, *GRID)
        assert maps.dtype == np.float32

    @given(positive=click_lists, negative=click_lists)
    def test_swapping_the_signs_swaps_the_channels(
        self,
        encoder: ClickEncoder,
        positive: list[tuple[int, int]],
        negative: list[tuple[int, int]],
    ) -> None:
        maps = encoder(Clicks.at(positive, negative), GRID)
        swapped = encoder(Clicks.at(negative, positive), GRID)

        np.testing.assert_array_equal(maps, swapped[::-1])

    @given(positive=click_lists)
    def test_mirrored_clicks_give_mirrored_maps(
        self, encoder: ClickEncoder, positive: list[tuple[int, int]]
    ) -> None:
        mirrored = [(r, GRID[1] - 1 - c) for r, c in positive]

        maps = encoder(Clicks.at(positive), GRID)
        others = encoder(Clicks.at(mirrored), GRID)

        np.testing.assert_allclose(maps, others[:, :, ::-1], atol=1e-6)

    def test_forgets_the_order_of_clicks(self, encoder: ClickEncoder) -> None:
        one = Clicks((Click(1, 2), Click(5, 5, is_positive=False), Click(9, 9)))
        other = Clicks(one.items[::-1])

        np.testing.assert_array_equal(encoder(one, GRID), encoder(other, GRID))


def test_distances_are_cut_and_without_a_click_all_at_the_limit() -> None:
    maps = DistanceMaps(limit=10)(Clicks.at(positive=[(0, 0)]), (1, 40))

    assert maps[0, 0, 3] == 3
    assert maps[0, 0, 39] == 10
    assert (maps[1] == 10).all()


def test_nearness_is_one_on_the_click_and_zero_without_one() -> None:
    maps = NearnessMaps()(Clicks.at(negative=[(2, 2)]), (5, 256 + 3))

    assert maps[1, 2, 2] == 1
    assert maps[1, 2, 257] == 0
    assert (maps[0] == 0).all()


def test_gaussians_are_one_on_the_click_and_zero_beyond_twenty_pixels() -> None:
    maps = GaussianMaps()(Clicks.at(positive=[(0, 0)]), (1, 40))

    assert maps[0, 0, 0] == 1
    assert maps[0, 0, 10] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert maps[0, 0, 20] > 0
    assert maps[0, 0, 21] == 0


def test_discs_reach_their_radius_and_end_within_a_pixel() -> None:
    maps = DiscMaps(radius=3)(Clicks.at(positive=[(5, 5)]), (11, 11))

    assert maps[0, 5, 8] == 1
    assert maps[0, 5, 9] == 0
    assert maps[0].sum() == pytest.approx(np.pi * 3.5**2, rel=0.1)


def test_a_disc_beyond_the_edge_draws_nothing_and_harms_nothing() -> None:
    assert disc_map([(-20.0, 4.0), (4.0, 90.0)], (9, 9), 3).sum() == 0


def test_a_disc_may_lie_between_pixels() -> None:
    drawn = disc_map([(4.5, 4.0)], (10, 9), 1)

    np.testing.assert_allclose(drawn[4], drawn[5])
