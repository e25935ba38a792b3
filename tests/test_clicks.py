"""Clicks are values: a history that answers, and never changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.clicks import Click, Clicks

clicks_ = st.builds(Click, st.integers(0, 9), st.integers(0, 9), st.booleans())
histories = st.lists(clicks_, max_size=8).map(lambda items: Clicks(tuple(items)))


def test_at_puts_positive_clicks_before_negative_ones():
    clicks = Clicks.at(positive=[(1, 2), (3, 4)], negative=[(5, 6)])

    assert list(clicks) == [Click(1, 2), Click(3, 4), Click(5, 6, is_positive=False)]
    assert clicks.positive == (Click(1, 2), Click(3, 4))
    assert clicks.negative == (Click(5, 6, is_positive=False),)
    assert clicks.last == Click(5, 6, is_positive=False)


@given(histories, clicks_)
def test_adding_answers_a_new_history_and_leaves_the_old(clicks: Clicks, one: Click):
    before = tuple(clicks)

    longer = clicks.adding(one)

    assert tuple(longer) == (*before, one)
    assert tuple(clicks) == before
    assert longer.prefix(len(clicks)) == clicks


@given(histories, clicks_)
def test_equal_histories_are_one_key(clicks: Clicks, one: Click):
    known = {clicks.adding(one): "answer"}

    again = Clicks(tuple(clicks)).adding(one)

    assert known[again] == "answer"


@given(histories, clicks_)
def test_a_click_that_is_taken_out_leaves_the_others_in_order(
    clicks: Clicks, one: Click
):
    with_it = Clicks((one, *clicks))

    without = with_it.without(one)

    assert without == clicks


@given(histories, clicks_, clicks_)
def test_a_replaced_click_keeps_its_place(clicks: Clicks, old: Click, new: Click):
    with_it = Clicks((old, *clicks))

    replaced = with_it.replacing(old, new)

    assert tuple(replaced) == (new, *clicks)


def test_a_click_that_was_not_made_can_be_neither_removed_nor_replaced():
    clicks = Clicks.at(positive=[(1, 2)])
    unknown = Click(1, 2, is_positive=False)

    with pytest.raises(ValueError, match=r"no Click\(row=1.* among 1 clicks to remove"):
        clicks.without(unknown)
    with pytest.raises(ValueError, match=r"among 1 clicks to replace"):
        clicks.replacing(unknown, Click(0, 0))


@pytest.mark.parametrize("pixel", [(-1, 0), (0, -1), (10, 0), (0, 20)])
def test_a_click_outside_the_image_is_named(pixel: tuple[int, int]):
    clicks = Clicks.at(positive=[(9, 19), pixel])

    row, column = pixel

    with pytest.raises(
        ValueError,
        match=f"row {row}, column {column} is outside the image of 10 x 20 pixels",
    ):
        clicks.check_inside((10, 20))


def test_clicks_on_the_corners_are_inside():
    clicks = Clicks.at(positive=[(0, 0), (9, 19)], negative=[(0, 19), (9, 0)])

    clicks.check_inside((10, 20))

    assert len(clicks) == 4
