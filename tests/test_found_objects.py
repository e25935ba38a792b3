"""What a method found by itself joins what the user did, and harms none of it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.arrays import Box
from napari_iseg.clicks import Click, Clicks
from napari_iseg.found_objects import beside, found_objects, taken_by
from napari_iseg.session import Session
from tests.test_session import GRID, accept_at, answer

METHOD = "watershed"


def labels(*boxes: tuple[slice, slice]) -> np.ndarray:
    """Objects 1, 2, ... of these boxes."""
    drawn = np.zeros(GRID, np.int32)
    for number, box in enumerate(boxes, start=1):
        drawn[box] = number
    return drawn


def found(*boxes: tuple[slice, slice]):
    return found_objects(labels(*boxes), METHOD)


CORNER = (slice(0, 8), slice(0, 8))
FAR = (slice(14, 20), slice(20, 28))


def test_found_objects_are_one_step_without_clicks_and_named_after_their_method():
    """Given an object that the user accepted,
    when a method finds two others,
    then they get the next labels, and one undo takes both back."""
    session = Session(GRID)
    mine = accept_at(session, 12, 12)

    number = session.adopt_found(found(CORNER, FAR))

    assert number == 2
    assert list(session.objects) == [1, 2, 3]
    assert [len(one.clicks) for one in session.objects.values()] == [1, 0, 0]
    assert session.objects[2].method == METHOD
    assert session.label == 4
    session.undo()
    assert list(session.objects.values()) == [mine]


def test_an_accepted_object_keeps_every_pixel():
    session = Session(GRID)
    mine = accept_at(session, 8, 8)

    session.adopt_found(found(CORNER))

    (theirs,) = (one for one in session.objects.values() if one is not mine)
    assert session.objects[1].mask.all()
    assert theirs.area == 64 - 9  # the corner of the square around (8, 8)


def test_what_was_accepted_already_is_not_found_once_more():
    session = Session(GRID)
    accept_at(session, 8, 8)

    assert session.adopt_found(found((slice(5, 13), slice(5, 13)))) == 0
    assert not session.can_redo
    assert list(session.objects) == [1]


def test_finding_twice_adds_nothing():
    session = Session(GRID)
    session.adopt_found(found(CORNER, FAR))

    assert session.adopt_found(found(CORNER, FAR)) == 0
    session.undo()
    assert len(session.objects) == 0


def test_the_object_in_progress_keeps_its_pixels_label_and_clicks():
    session = Session(GRID)
    session.click(Click(8, 8))
    answer(session)

    session.adopt_found(found(CORNER, FAR))

    assert (session.label, session.clicks) == (1, Clicks.at([(8, 8)]))
    assert list(session.objects) == [2, 3]
    assert session.objects[2].area == 64 - 9


def test_labels_begin_where_the_other_planes_of_an_image_end():
    session = Session(GRID)

    session.adopt_found(found(CORNER), first_label=40)

    assert list(session.objects) == [40]
    assert session.label == 41


def test_an_object_that_falls_apart_keeps_its_largest_part():
    taken = np.zeros(GRID, bool)
    taken[:, 4] = True

    (left,) = beside(found((slice(0, 2), slice(0, 12))), taken)

    assert left.box == Box(0, 5, 2, 12)
    assert left.mask.all()


def test_an_object_beyond_the_image_is_refused():
    session = Session((10, 10))

    with pytest.raises(ValueError, match=r"object 1 at Box.* leaves the image of 10 x"):
        session.adopt_found(found(FAR))
    assert len(session.objects) == 0


def test_pixels_that_are_taken_are_those_of_the_objects():
    drawn = labels(CORNER, FAR)

    assert np.array_equal(taken_by(found_objects(drawn, METHOD), GRID), drawn > 0)


# ------------------------------------------------------------------- correcting one


def test_a_correcting_click_reopens_and_clicks_in_one_step():
    """Given an object that a method found,
    when the user clicks on it,
    then it is in progress, begins as it was found, and one undo closes it again."""
    session = Session(GRID)
    session.adopt_found(found(CORNER, FAR))
    before = session.objects[1]

    session.correct(1, Click(2, 2, is_positive=False))

    assert session.label == 1
    assert session.clicks == Clicks.at(negative=[(2, 2)])
    assert np.array_equal(session.prior.mask(), before.mask)
    assert list(session.objects) == [2]
    session.undo()
    assert session.is_blank
    assert session.objects[1] is before
    session.redo()
    assert len(session.clicks) == 1


def test_a_corrected_object_remembers_how_it_was_found():
    session = Session(GRID)
    session.adopt_found(found(CORNER))
    session.correct(1, Click(2, 2))
    answer(session)

    accepted = session.accept()

    assert accepted.label == 1
    assert accepted.prior is not None
    assert len(accepted.clicks) == 1


def test_a_click_outside_corrects_nothing():
    session = Session(GRID)
    session.adopt_found(found(CORNER))

    with pytest.raises(ValueError, match="outside the image"):
        session.correct(1, Click(99, 2))
    with pytest.raises(ValueError, match="there is no object 7"):
        session.correct(7, Click(2, 2))

    assert session.is_blank
    assert list(session.objects) == [1]


def test_an_object_is_found_below_its_own_pixels_only():
    session = Session(GRID)
    session.adopt_found(found(CORNER, FAR))

    assert session.object_at(7, 7).label == 1
    assert session.object_at(19, 27).label == 2
    assert session.object_at(8, 8) is None
