"""Cells that touch: which of them is meant is a function of foreground and clicks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from napari_iseg.refine.splitting import split

GRID = (60, 100)
ROWS, COLUMNS = np.indices(GRID)
LEFT, RIGHT = (30, 35), (30, 61)  # middles of discs that overlap at column 48
WAIST = 48
ONE_EACH = float("inf")  # a connected part is one cell


def disc(middle: tuple[int, int], radius: float) -> NDArray[np.bool_]:
    return np.hypot(ROWS - middle[0], COLUMNS - middle[1]) < radius


TWO = disc(LEFT, 16) | disc(RIGHT, 16)


def test_a_click_takes_the_cell_up_to_its_waist():
    """Given two discs that overlap, when one is clicked on,
    then it is cut off where the two circles cross."""
    cell = split(TWO, [LEFT], [])

    np.testing.assert_array_equal(cell & (COLUMNS < WAIST - 1), TWO & (COLUMNS < 47))
    assert not cell[COLUMNS > WAIST + 1].any()


@pytest.mark.parametrize("depth", [2.0, ONE_EACH])
def test_a_negative_click_on_the_neighbour_cuts_along_the_waist(depth: float):
    """Whether hills or clicks alone tell the cells apart."""
    cell = split(TWO, [LEFT], [RIGHT], depth=depth)

    rows, columns = np.nonzero(TWO & ~cell)
    assert cell[:, : WAIST - 1].sum() == TWO[:, : WAIST - 1].sum()
    assert columns.min() >= WAIST - 1
    assert len(rows) == pytest.approx(TWO[:, WAIST:].sum(), rel=0.05)


def test_discs_of_different_sizes_part_where_their_circles_cross():
    """Given a large and a small cell told apart by clicks alone,
    then the cut goes through both ends of the waist."""
    large, small = disc(LEFT, 20), disc((30, 60), 10)
    ends = [
        (row, column)
        for row, column in np.argwhere(large | small)
        if abs(np.hypot(row - 30, column - 35) - 20) < 0.8
        and abs(np.hypot(row - 30, column - 60) - 10) < 0.8
    ]

    cell = split(large | small, [LEFT], [(30, 60)], depth=ONE_EACH)

    assert len(ends) >= 2
    for row, column in ends:
        around = cell[row - 2 : row + 3, column - 2 : column + 3]
        assert around.any()
        assert not (
            around | ~(large | small)[row - 2 : row + 3, column - 2 : column + 3]
        ).all()


def test_without_hills_and_negative_clicks_nothing_changes():
    np.testing.assert_array_equal(split(TWO, [LEFT], [], depth=ONE_EACH), TWO)


def test_a_cell_without_a_waist_stays_whole():
    np.testing.assert_array_equal(split(disc(LEFT, 16), [(25, 30)], []), disc(LEFT, 16))


def test_positive_clicks_on_both_take_both():
    np.testing.assert_array_equal(split(TWO, [LEFT, RIGHT], []), TWO)


def test_parts_that_do_not_touch_are_cells_of_their_own_however_small():
    dust = TWO | disc((5, 90), 1.5)

    np.testing.assert_array_equal(split(dust, [(5, 90)], []), disc((5, 90), 1.5))


def test_a_negative_click_on_the_same_cell_takes_what_is_nearer_to_it():
    """Given one disc with a click in its middle,
    when its rim is clicked on negatively,
    then the middle stays, the rim is gone there and stays on the other side."""
    cell = split(disc(LEFT, 16), [LEFT], [(30, 48)])

    assert cell[30, 35]
    assert not cell[30, 48:51].any()
    assert cell[30, 21]


def test_clicks_beside_the_foreground_say_nothing():
    np.testing.assert_array_equal(
        split(TWO, [LEFT, (2, 2), (400, 3)], [(58, 98), (-3, 5)]),
        split(TWO, [LEFT], []),
    )


def test_nothing_stays_nothing():
    assert not split(np.zeros(GRID, np.bool_), [LEFT], [RIGHT]).any()


# What was one object before somebody clicked


def test_an_object_that_was_found_stays_whole_until_a_part_is_refused():
    """Given an object of two cells, when one of them is refused, the other one stays;
    and so it is the other way round."""
    np.testing.assert_array_equal(split(TWO, [], [], is_one=True), TWO)

    left = split(TWO, [], [RIGHT], is_one=True)
    right = split(TWO, [], [LEFT], is_one=True)

    assert left[LEFT]
    assert not left[:, WAIST + 2 :].any()
    assert right[RIGHT]
    assert not right[:, : WAIST - 2].any()


def test_the_part_that_is_not_refused_may_be_the_small_one():
    both = disc(LEFT, 20) | disc((30, 62), 10)

    cell = split(both, [], [(30, 40)], is_one=True)

    assert cell[30, 62]
    assert not cell[LEFT]


def test_a_found_object_without_a_waist_loses_the_refused_side():
    cell = split(disc(LEFT, 16), [], [(30, 48)], is_one=True)

    assert not cell[30, 48:].any()
    assert cell[30, 21:38].all()


# Laws


places = st.tuples(st.integers(0, 29), st.integers(0, 39))


@st.composite
def foregrounds(draw: st.DrawFn) -> NDArray[np.bool_]:
    seed = draw(st.integers(0, 10_000))
    noise = np.random.default_rng(seed).normal(size=(30, 40))
    smooth = ndimage.gaussian_filter(noise, draw(st.floats(0.5, 4)))
    return np.asarray(smooth > np.quantile(smooth, draw(st.floats(0, 0.9))))


@settings(max_examples=40)
@given(
    foregrounds(),
    st.lists(places, max_size=4, unique=True),
    st.lists(places, max_size=4, unique=True),
    st.sampled_from([1.0, 2.0, ONE_EACH]),
    st.booleans(),
)
def test_every_click_on_the_foreground_is_obeyed(
    foreground, positive, negative, depth, is_one
):
    """And nothing is added."""
    cell = split(foreground, positive, negative, depth=depth, is_one=is_one)

    assert not (cell & ~foreground).any()
    assert all(not cell[at] for at in negative)
    assert all(cell[at] for at in positive if foreground[at] and at not in negative)


@settings(max_examples=25)
@given(foregrounds(), st.lists(places, min_size=2, max_size=6, unique=True))
def test_only_which_clicks_there_are_counts_not_their_order(foreground, clicks):
    positive, negative = clicks[::2], clicks[1::2]

    np.testing.assert_array_equal(
        split(foreground, positive, negative),
        split(foreground, positive[::-1], negative[::-1]),
    )


@settings(max_examples=25)
@given(foregrounds(), st.lists(places, min_size=1, max_size=4, unique=True))
def test_more_positive_clicks_never_take_less(foreground, positive):
    answers = [split(foreground, positive[:n], []) for n in range(len(positive) + 1)]

    assert all((one <= more).all() for one, more in pairwise(answers))
