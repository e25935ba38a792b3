"""From three lists of CVAT to clicks on objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.clicks import Click
from napari_iseg.cvat.requests import BoxPrompt, Point, Prompts
from napari_iseg.cvat.wanted_objects import outside, wanted_objects

GRID = (30, 40)  # rows, columns
points = st.lists(
    st.builds(Point, st.floats(-5, 45), st.floats(-5, 35)), max_size=6
).map(tuple)
boxes = st.lists(
    st.tuples(points.filter(len), points.filter(len)).map(
        lambda pair: BoxPrompt.between(pair[0][0], pair[1][0])
    ),
    max_size=3,
).map(tuple)
prompts = st.builds(Prompts, points, points, boxes)


def at(x: float, y: float) -> Point:
    return Point(x, y)


@pytest.mark.parametrize(
    ("x", "y", "pixel"),
    [
        (0, 0, (0, 0)),
        (0.999, 0.999, (0, 0)),
        (1, 0, (0, 1)),
        (12.5, 7.25, (7, 12)),
        (39.99, 29.99, (29, 39)),
        (40, 30, (29, 39)),  # the far corner belongs to the last pixel
    ],
)
def test_a_point_counted_from_the_corner_becomes_the_pixel_it_lies_in(x, y, pixel):
    assert Point(x, y).click(GRID) == Click(*pixel)


@pytest.mark.parametrize(("x", "y"), [(-0.01, 5), (5, -1), (40.01, 5), (5, 31)])
def test_a_point_outside_is_no_click_but_is_counted(x: float, y: float):
    prompts = Prompts((at(x, y), at(3, 4)))

    (one,) = wanted_objects(prompts, GRID)

    assert one.clicks.items == (Click(4, 3),)
    assert outside(prompts, GRID) == 1


def test_positive_and_negative_points_take_turns_each_kind_in_its_own_order():
    prompts = Prompts((at(1, 1), at(2, 2), at(3, 3)), (at(4, 4),))

    (one,) = wanted_objects(prompts, GRID)

    assert [(c.row, c.is_positive) for c in one.clicks] == [
        (1, True),
        (4, False),
        (2, True),
        (3, True),
    ]


@pytest.mark.parametrize("prompts", [Prompts(), Prompts(negative=(at(1, 1),))])
def test_without_a_positive_point_there_is_no_object(prompts: Prompts):
    assert wanted_objects(prompts, GRID) == ()


def test_a_box_alone_asks_for_what_lies_in_its_middle():
    box = BoxPrompt.between(at(20, 20), at(10, 4))

    (one,) = wanted_objects(Prompts(boxes=(box,)), GRID)

    assert one.clicks.items == (Click(12, 15),)
    assert one.is_boxed


def test_each_box_is_an_object_with_the_points_nearest_to_it():
    left, right = (
        BoxPrompt.between(at(0, 0), at(10, 10)),
        BoxPrompt.between(at(20, 0), at(30, 10)),
    )
    prompts = Prompts((at(14, 3),), (at(25, 5), at(17, 5)), (left, right))

    first, second = wanted_objects(prompts, GRID)

    assert first.clicks.items == (Click(3, 14),)
    assert not first.is_boxed  # its positive point says that it leaves the box
    assert second.clicks.items == (
        Click(5, 25),
        Click(5, 25, is_positive=False),
        Click(5, 17, is_positive=False),
    )


def test_a_point_in_nested_boxes_belongs_to_the_inner_one():
    outer, inner = (
        BoxPrompt.between(at(0, 0), at(30, 30)),
        BoxPrompt.between(at(10, 10), at(14, 14)),
    )

    found = wanted_objects(Prompts((at(11, 12),), (), (outer, inner)), GRID)

    assert [one.clicks.items for one in found] == [(Click(15, 15),), (Click(12, 11),)]


@given(prompts)
def test_every_object_can_be_asked_for(prompts: Prompts):
    for one in wanted_objects(prompts, GRID):
        one.clicks.check_inside(GRID)
        assert one.clicks.items[0].is_positive


@given(prompts)
def test_no_point_inside_the_image_is_lost_where_every_box_has_a_middle(prompts):
    found = wanted_objects(prompts, GRID)
    clicks = {click for one in found for click in one.clicks}
    given_ = {
        click
        for point in prompts.positive
        if (click := point.click(GRID, is_positive=True)) is not None
    }

    assert given_ <= clicks
