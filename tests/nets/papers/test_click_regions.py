"""Where RIS-Net looks more closely: between a positive and a negative click."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.arrays import Box
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers.click_regions import LEAST, moved_inside, regions_of

GRID = (60, 90)
PIXELS = st.tuples(st.integers(0, GRID[0] - 1), st.integers(0, GRID[1] - 1))


def test_a_region_is_the_square_that_two_clicks_span() -> None:
    # 11 rows, 31 columns: ten rows more above, ten below
    (box,) = regions_of(Clicks.at([(30, 40)], [(20, 70)]), GRID)

    assert box == Box(10, 40, 41, 71)


def test_of_all_negative_clicks_the_nearest_one_counts() -> None:
    near, far = (30, 60), (30, 85)

    found = regions_of(Clicks.at([(30, 40)], [far, near]), GRID)

    assert found == regions_of(Clicks.at([(30, 40)], [near]), GRID)


def test_each_positive_click_has_a_region() -> None:
    clicks = Clicks.at([(9, 9), (30, 40), (50, 80)], [(30, 60)])

    found = regions_of(clicks, GRID)

    assert len(found) == 3
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    "clicks", [Clicks.at([(3, 3), (9, 9)]), Clicks.at([], [(3, 3)]), Clicks()]
)
def test_without_a_pair_the_whole_image_is_the_only_region(clicks: Clicks) -> None:
    assert regions_of(clicks, GRID) == [Box(0, 0, *GRID)]


def test_clicks_side_by_side_span_a_cell_of_features_at_least() -> None:
    (box,) = regions_of(Clicks.at([(30, 40)], [(30, 41)]), GRID)

    assert box.shape == (LEAST, LEAST)


def test_at_the_border_a_region_is_moved_not_cut() -> None:
    (box,) = regions_of(Clicks.at([(2, 40)], [(0, 60)]), GRID)

    assert box == Box(0, 40, 21, 61)


def test_a_region_higher_than_the_image_is_cut() -> None:
    (box,) = regions_of(Clicks.at([(30, 5)], [(31, 80)]), GRID)

    assert box == Box(0, 5, 60, 81)


@given(positive=PIXELS, negative=PIXELS)
def test_a_region_holds_its_clicks_and_lies_in_the_image(positive, negative) -> None:
    (box,) = regions_of(Clicks.at([positive], [negative]), GRID)

    assert box == box.clipped_to(GRID)
    for row, column in (positive, negative):
        assert box.top <= row < box.bottom
        assert box.left <= column < box.right
    assert box.shape[0] == min(box.shape[1], GRID[0])


def test_a_box_inside_is_left_where_it_is() -> None:
    box = Box(3, 4, 13, 14)

    assert moved_inside(box, GRID) == box
