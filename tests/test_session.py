"""A session: what the user sees and keeps, whatever order things happen in."""

from __future__ import annotations

import tracemalloc
from cProfile import Profile

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from napari_iseg.arrays import Box
from napari_iseg.clicks import Click, Clicks
from napari_iseg.segmented_objects import objects_of
from napari_iseg.segmenter import Patch
from napari_iseg.session import Overlap, Request, SegmentedObject, Session

GRID = (24, 30)
NO = False


# ------------------------------------------------------------------- a user's world


def square(clicks: Clicks, radius: int = 3, grid: tuple[int, int] = GRID) -> Patch:
    """What our method answers: a square around each positive click, none of the
    pixels of a negative one."""
    if not clicks.positive:
        return Patch(np.zeros((1, 1), np.float32), (0, 0))
    rows = [c.row for c in clicks.positive]
    columns = [c.column for c in clicks.positive]
    low, high = min(rows) - radius, max(rows) + radius + 1
    box = Box(low, min(columns) - radius, high, max(columns) + radius + 1)
    box = box.clipped_to(grid)
    probability = np.zeros(box.shape, np.float32)
    for c in clicks.positive:
        r, k = c.row - box.top, c.column - box.left
        around = (
            slice(max(r - radius, 0), r + radius + 1),
            slice(max(k - radius, 0), k + radius + 1),
        )
        probability[around] = 0.9
    for c in clicks.negative:
        if box.top <= c.row < box.bottom and box.left <= c.column < box.right:
            probability[c.row - box.top, c.column - box.left] = 0.1
    return Patch(probability, (box.top, box.left))


def answer(session: Session) -> None:
    """Deliver what is wanted: a square and a larger one."""
    request = session.wanted
    if request is not None:
        session.deliver(request, answers(request, session.grid))


def answers(request: Request, grid: tuple[int, int] = GRID):
    return [
        (square(request.clicks, 3, grid), 0.8),
        (square(request.clicks, 4, grid), 0.6),
    ]


def accept_at(session: Session, row: int, column: int) -> SegmentedObject:
    session.click(Click(row, column))
    answer(session)
    return session.accept()


def state(session: Session):
    """All that undo has to bring back, comparable."""
    return (
        session.label,
        session.clicks,
        session.hypothesis,
        session.prior,
        tuple(session.objects.values()),
    )


# --------------------------------------------------------------------------- clicks


def test_a_click_asks_for_a_prediction_and_shows_it_when_it_is_there():
    session = Session(GRID)

    session.click(Click(10, 10))
    before = session.wanted, session.mask, session.answer
    answer(session)

    assert before == (Request(Clicks.at([(10, 10)]), before[0].context), None, None)
    assert session.wanted is None
    box, mask = session.mask
    assert box == Box(7, 7, 14, 14)
    assert mask.all()


def test_a_new_session_wants_and_shows_nothing():
    session = Session(GRID)

    shown = session.answer, session.mask, session.wanted, session.prior

    assert shown == (None, None, None, None)
    assert session.alternatives == []
    assert session.unsatisfied == ()
    assert session.label == 1
    assert session.is_blank
    assert not session.labels().any()


def test_a_click_outside_the_image_is_refused_and_nothing_is_lost():
    session = Session(GRID)
    session.click(Click(1, 1))
    before = state(session)

    with pytest.raises(ValueError, match="row 24, column 0 is outside"):
        session.click(Click(24, 0))
    with pytest.raises(ValueError, match="column 30 is outside"):
        session.replace(Click(1, 1), Click(0, 30))

    assert state(session) == before


def test_unknown_clicks_are_neither_removed_nor_replaced():
    session = Session(GRID)
    session.click(Click(1, 1))

    with pytest.raises(ValueError, match="to remove"):
        session.remove(Click(2, 2))
    with pytest.raises(ValueError, match="to replace"):
        session.replace(Click(2, 2), Click(3, 3))

    assert session.clicks == Clicks.at([(1, 1)])


def test_a_click_can_be_moved_and_deleted_and_both_are_undone():
    session = Session(GRID)
    session.click(Click(1, 1))
    session.click(Click(5, 5, NO))

    session.replace(Click(1, 1), Click(2, 2))
    session.remove(Click(5, 5, NO))
    moved = session.clicks
    session.undo()
    session.undo()

    assert moved == Clicks.at([(2, 2)])
    assert session.clicks == Clicks.at([(1, 1)], [(5, 5)])


def test_clearing_drops_the_clicks_and_one_undo_brings_all_of_them_back():
    session = Session(GRID)
    for column in range(5):
        session.click(Click(3, column))

    session.clear()
    cleared = session.clicks
    session.undo()

    assert len(cleared) == 0
    assert len(session.clicks) == 5


def test_what_changes_nothing_is_no_step():
    session = Session(GRID)

    session.clear()
    session.click(Click(1, 1))
    session.replace(Click(1, 1), Click(1, 1))
    session.undo()

    assert not session.can_undo


# ------------------------------------------------------------------------- answers


def test_a_late_answer_for_older_clicks_is_not_shown():
    session = Session(GRID)
    session.click(Click(5, 5))
    older = session.wanted
    session.click(Click(15, 15))

    session.deliver(older, answers(older))

    assert session.mask is None
    assert session.wanted.clicks == session.clicks


def test_a_late_answer_is_there_when_the_user_comes_back_to_its_clicks():
    session = Session(GRID)
    session.click(Click(5, 5))
    older = session.wanted
    session.click(Click(15, 15))
    session.deliver(older, answers(older))

    session.undo()

    assert session.wanted is None
    assert session.mask[0] == Box(2, 2, 9, 9)


def test_a_late_answer_about_the_object_before_is_not_shown():
    session = Session(GRID)
    session.click(Click(5, 5))
    answer(session)
    session.accept()
    session.click(Click(15, 15))
    asked_before = session.wanted
    session.delete(1)  # now the same clicks are another question

    session.deliver(asked_before, answers(asked_before))

    assert session.mask is None
    assert session.wanted.clicks == asked_before.clicks
    assert session.wanted != asked_before


def test_another_method_or_image_is_asked_again():
    session = Session(GRID)
    session.click(Click(5, 5))
    answer(session)

    session.method = "itis"
    after_method = session.wanted
    answer(session)
    session.image_changed()
    after_image = session.wanted
    session.method = "cells"

    assert after_method is not None
    assert after_image is not None
    assert session.wanted is not None


def test_going_back_to_a_method_finds_its_answer_again():
    session = Session(GRID)
    session.click(Click(5, 5))
    answer(session)

    session.method = "itis"
    session.method = "cells"

    assert session.wanted is None


def test_answers_that_are_forgotten_are_wanted_again():
    session = Session((4096, 4096))
    large = Patch(np.ones((2048, 2048), np.float32), (0, 0))  # 16 MB

    session.click(Click(0, 0))
    session.deliver(session.wanted, [(large, 1.0)])
    for column in range(1, 9):
        session.click(Click(0, column))
        session.deliver(session.wanted, [(large, 1.0)])
    shown = session.mask
    for _ in range(8):
        session.undo()

    assert shown is not None
    assert session.wanted is not None


def test_an_answer_must_be_one_and_lie_in_the_image():
    session = Session(GRID)
    session.click(Click(5, 5))

    with pytest.raises(ValueError, match="at least one patch"):
        session.deliver(session.wanted, [])
    with pytest.raises(ValueError, match="leaves the image of 24 x 30 pixels"):
        session.deliver(
            session.wanted, [(Patch(np.ones((5, 5), np.float32), (20, 0)), 1.0)]
        )

    assert session.wanted is not None


def test_the_threshold_decides_what_belongs_to_the_object():
    session = Session(GRID, threshold=0.5)
    session.click(Click(10, 10))
    map_ = np.array([[0.3, 0.6], [0.8, 0.0]], np.float32)
    session.deliver(session.wanted, [(Patch(map_, (10, 10)), 1.0)])

    masks = []
    for threshold in (0.2, 0.5, 0.7, 0.9):
        session.threshold = threshold
        masks.append(session.mask)

    assert [mask and int(mask[1].sum()) for mask in masks] == [3, 2, 1, None]
    assert masks[2][0] == Box(11, 10, 12, 11)


def test_a_click_is_unsatisfied_while_its_pixel_does_not_carry_its_label():
    session = Session(GRID)
    session.click(Click(10, 10))
    session.click(Click(11, 11, NO))
    unknown = session.unsatisfied
    session.deliver(
        session.wanted, [(Patch(np.ones((2, 2), np.float32), (11, 11)), 1.0)]
    )

    unsatisfied = session.unsatisfied

    assert unknown == ()
    assert set(unsatisfied) == {Click(10, 10), Click(11, 11, NO)}


def test_of_two_clicks_on_one_pixel_the_later_one_counts():
    session = Session(GRID)
    session.click(Click(10, 10))
    session.click(Click(10, 10, NO))

    session.deliver(
        session.wanted, [(Patch(np.zeros((1, 1), np.float32), (10, 10)), 1.0)]
    )

    assert session.unsatisfied == ()


# -------------------------------------------------------------------- alternatives


def test_an_alternative_is_shown_accepted_and_undone():
    session = Session(GRID)
    session.click(Click(10, 10))
    answer(session)

    session.choose(1)
    larger = session.mask[0]
    accepted = session.accept()
    session.undo()
    session.undo()

    assert larger == accepted.box == Box(6, 6, 15, 15)
    assert accepted.hypothesis == 1
    assert session.hypothesis == 0
    assert session.mask[0] == Box(7, 7, 14, 14)


def test_after_another_click_the_best_alternative_counts_again():
    session = Session(GRID)
    session.click(Click(10, 10))
    answer(session)
    session.choose(1)

    session.click(Click(12, 12))

    assert session.hypothesis == 0


def test_a_click_after_choosing_an_alternative_corrects_that_alternative():
    session = Session(GRID)
    session.click(Click(10, 10))
    answer(session)
    session.choose(1)
    box, mask = session.mask

    session.click(Click(12, 12))
    prior = session.prior
    session.undo()

    assert prior is not None
    np.testing.assert_array_equal(prior.on(GRID)[box.slices] > 0.5, mask)
    assert session.prior is None
    assert session.hypothesis == 1


@pytest.mark.parametrize("index", [-1, 2])
def test_an_alternative_that_is_not_there_cannot_be_chosen(index: int):
    session = Session(GRID)
    session.click(Click(10, 10))
    answer(session)

    with pytest.raises(
        ValueError, match=f"no alternative {index + 1}: the object in progress has 2"
    ):
        session.choose(index)

    assert session.hypothesis == 0


def test_there_are_no_alternatives_to_an_answer_that_is_missing():
    session = Session(GRID)
    session.click(Click(10, 10))

    with pytest.raises(ValueError, match=r"no alternative 1.* has 0"):
        session.choose(0)


# ------------------------------------------------------------------------- accepting


def test_accepting_writes_the_object_and_goes_on_to_the_next_label():
    session = Session(GRID, first_label=5, method="graph-cut")
    session.click(Click(10, 10))
    answer(session)

    accepted = session.accept()

    assert accepted.label == 5
    assert accepted.clicks == Clicks.at([(10, 10)])
    assert accepted.method == "graph-cut"
    assert accepted.area == 49
    assert session.label == 6
    assert session.is_blank
    assert (session.labels() == 5).sum() == 49
    assert session.labels().dtype == np.int32


def test_undo_crosses_accepted_objects_and_brings_their_clicks_back():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 15)

    session.undo()
    mask_again = session.mask
    session.undo()
    session.undo()

    assert mask_again[0] == Box(12, 12, 19, 19)
    assert session.clicks == Clicks.at([(5, 5)])
    assert session.label == 1
    assert len(session.objects) == 0
    assert session.mask is not None


def test_accepting_what_is_not_there_says_why():
    session = Session(GRID)

    with pytest.raises(ValueError, match="nothing to accept yet; click"):
        session.accept()
    session.click(Click(5, 5))
    with pytest.raises(ValueError, match="not predicted yet; wait"):
        session.accept()
    session.deliver(
        session.wanted, [(Patch(np.zeros((3, 3), np.float32), (4, 4)), 0.0)]
    )
    with pytest.raises(ValueError, match="has no pixel; add a positive click"):
        session.accept()

    assert session.clicks == Clicks.at([(5, 5)])


def test_keeping_leaves_pixels_of_other_objects_to_them():
    session = Session(GRID, overlap=Overlap.KEEP)
    first = accept_at(session, 10, 10)

    second = accept_at(session, 10, 14)

    labels = session.labels()
    assert (labels == 1).sum() == first.area == 49
    assert (labels == 2).sum() == second.area == 28
    assert second.box == Box(7, 14, 14, 18)


def test_overwriting_takes_pixels_of_other_objects():
    session = Session(GRID, overlap=Overlap.OVERWRITE)
    accept_at(session, 10, 10)

    second = accept_at(session, 10, 14)

    labels = session.labels()
    assert (labels == 2).sum() == second.area == 49
    assert (labels == 1).sum() == session.objects[1].area == 28
    assert session.objects[1].clicks == Clicks.at([(10, 10)])


def test_an_object_that_is_overwritten_as_a_whole_is_gone_until_undo():
    session = Session(GRID, overlap=Overlap.OVERWRITE)
    accept_at(session, 10, 10)
    session.click(Click(10, 10))
    answer(session)
    session.choose(1)

    session.accept()
    left = list(session.objects)
    session.undo()

    assert left == [2]
    assert list(session.objects) == [1]


def test_an_object_without_a_pixel_of_its_own_is_not_accepted():
    session = Session(GRID, overlap=Overlap.KEEP)
    accept_at(session, 10, 10)
    session.click(Click(10, 10))
    answer(session)

    with pytest.raises(ValueError, match=r"every pixel .* other objects already"):
        session.accept()

    assert session.clicks == Clicks.at([(10, 10)])


# ---------------------------------------------------------- objects, once more


def test_a_reopened_object_has_its_clicks_label_hypothesis_and_mask():
    session = Session(GRID)
    session.click(Click(5, 5))
    session.click(Click(6, 6, NO))
    answer(session)
    session.choose(1)
    shown = session.mask
    session.accept()
    accept_at(session, 15, 20)

    session.reopen(1)
    answer(session)

    assert session.clicks == Clicks.at([(5, 5)], [(6, 6)])
    assert (session.label, session.hypothesis) == (1, 1)
    assert session.mask[0] == shown[0]
    assert (session.mask[1] == shown[1]).all()
    assert list(session.objects) == [2]
    assert not session.others_in(Box(5, 5, 6, 6)).any()


def test_an_object_that_is_reopened_at_once_needs_no_new_prediction():
    session = Session(GRID)
    accept_at(session, 5, 5)

    session.reopen(1)

    assert session.wanted is None
    assert session.mask is not None


def test_a_reopened_object_keeps_its_label_and_the_next_one_is_free():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 15)

    session.reopen(1)
    session.click(Click(5, 8))
    answer(session)
    again = session.accept()

    assert again.label == 1
    assert list(session.objects) == [2, 1]
    assert session.label == 3


def test_reopening_is_refused_while_another_object_is_in_progress():
    session = Session(GRID)
    accept_at(session, 5, 5)
    session.click(Click(15, 15))

    with pytest.raises(ValueError, match="object 2 is in progress; accept or clear"):
        session.reopen(1)

    assert session.clicks == Clicks.at([(15, 15)])
    assert list(session.objects) == [1]


def test_objects_that_do_not_exist_are_named_with_those_that_do():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 15)

    for impossible in (session.reopen, session.delete, lambda x: session.merge([1, x])):
        with pytest.raises(ValueError, match="no object 7; there are: 1, 2"):
            impossible(7)

    assert list(session.objects) == [1, 2]


def test_without_objects_the_answer_says_so():
    session = Session(GRID)

    with pytest.raises(ValueError, match="no object 1; there are: none"):
        session.delete(1)


def test_a_deleted_object_is_gone_until_undo():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 15)

    session.delete(1)
    left = session.labels()
    session.undo()

    assert set(np.unique(left)) == {0, 2}
    assert list(session.objects) == [1, 2]


def test_merged_objects_are_one_with_the_first_label_until_undo():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 20)
    accept_at(session, 18, 5)

    merged = session.merge([3, 1])
    labels = session.labels()
    session.undo()

    assert merged.label == 3
    assert merged.box == Box(2, 2, 22, 9)
    assert merged.area == 98
    assert len(merged.clicks) == 0
    assert (labels == 3).sum() == 98
    assert not (labels == 1).any()
    assert list(session.objects) == [1, 2, 3]


@pytest.mark.parametrize("labels", [[], [1], [1, 1]])
def test_merging_needs_two_objects(labels: list[int]):
    session = Session(GRID)
    accept_at(session, 5, 5)

    with pytest.raises(
        ValueError, match=r"at least two objects, got [01]; choose more"
    ):
        session.merge(labels)


def test_an_object_without_clicks_reopens_as_a_prior_and_can_be_accepted_as_it_is():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 5, 10)
    merged = session.merge([1, 2])

    session.reopen(1)
    wanted, prior = session.wanted, session.prior
    again = session.accept()

    assert wanted is None
    assert prior.box == merged.box
    assert (again.mask == merged.mask).all()


def test_clicks_on_a_prior_are_another_question_and_survive_being_reopened():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 5, 10)
    session.merge([1, 2])
    session.reopen(1)
    prior = session.prior

    session.click(Click(12, 12))
    answer(session)
    accepted = session.accept()
    session.reopen(1)

    assert accepted.prior is prior
    assert session.prior is prior
    assert session.clicks == Clicks.at([(12, 12)])


def test_existing_labels_become_objects():
    session = Session((4, 6))
    drawn = np.array(
        [
            [0, 7, 7, 0, 0, 3],
            [0, 7, 0, 0, 0, 3],
            [0, 0, 0, 9, 0, 0],
            [7, 0, 0, 0, 0, 0],
        ],
        np.uint16,
    )

    session.adopt(objects_of(drawn))

    assert list(session.objects) == [3, 7, 9]
    assert (session.labels() == drawn).all()
    assert session.label == 10
    session.undo()
    assert len(session.objects) == 0


def test_a_label_image_without_objects_has_none():
    assert objects_of(np.zeros((3, 4), np.int64)) == []


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 2, 2), np.int32), r"got int32 of shape \(2, 2, 2\)"),
        (np.ones((2, 2)), "got float64"),
        (np.array([[-1, 2]]), r"0\.\.2147483647, got -1\.\.2"),
        (np.array([[1, 2**40]]), r"got 1\.\.1099511627776"),
    ],
)
def test_what_is_no_label_image_is_refused(labels: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        objects_of(labels)


def test_labels_in_use_and_objects_outside_are_not_adopted():
    session = Session((4, 6))
    session.adopt(objects_of(np.eye(4, 6, dtype=np.int32)))

    with pytest.raises(ValueError, match="label 1 is in use"):
        session.adopt(objects_of(np.eye(4, 6, dtype=np.int32)))
    with pytest.raises(
        ValueError, match=r"object 2 at Box.* leaves the image of 4 x 6"
    ):
        session.adopt(objects_of(2 * np.eye(7, dtype=np.int32)))

    assert list(session.objects) == [1]


def test_the_label_in_progress_is_not_adopted():
    session = Session((4, 6))
    session.click(Click(0, 0))

    with pytest.raises(ValueError, match="label 1 is in use"):
        session.adopt(objects_of(np.eye(4, 6, dtype=np.int32)))


def test_an_object_can_be_begun_with_known_clicks_and_a_chosen_label():
    session = Session(GRID)

    session.begin(12, Clicks.at([(5, 5)]), hypothesis=1)
    answer(session)
    accepted = session.accept()

    assert (accepted.label, accepted.hypothesis) == (12, 1)
    assert accepted.box == Box(1, 1, 10, 10)
    assert session.label == 13


def test_an_object_is_not_begun_where_there_is_no_room():
    session = Session(GRID)
    accept_at(session, 5, 5)

    for label in (0, 1):
        with pytest.raises(ValueError, match=f"label {label} is below 1 or in use"):
            session.begin(label)
    with pytest.raises(ValueError, match="row 99, column 0 is outside"):
        session.begin(2, Clicks.at([(99, 0)]))
    session.click(Click(9, 9))
    with pytest.raises(ValueError, match=r"object 2 is in progress; .* object 3"):
        session.begin(3)

    assert session.clicks == Clicks.at([(9, 9)])


def test_sessions_that_share_a_label_image_are_told_the_next_free_label():
    session = Session(GRID)

    session.number_from(40)
    first = accept_at(session, 5, 5)

    assert first.label == 40
    assert session.label == 41
    with pytest.raises(ValueError, match="cannot have label 40"):
        session.number_from(40)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"grid": (0, 5)}, r"at least one pixel, got \(0, 5\)"),
        ({"threshold": 1.0}, "threshold is in 0..1 .* got 1.0"),
        ({"threshold": float("nan")}, "got nan"),
        ({"first_label": 0}, "labels start at 1 .* got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings_: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Session(**{"grid": GRID, **settings_})


# ------------------------------------------------------------------- large images


def test_nothing_as_large_as_the_image_is_made_on_a_large_image():
    session = Session((8192, 8192), overlap=Overlap.OVERWRITE)
    tracemalloc.start()

    for i in range(20):
        session.click(Click(4000 + i, 4000 + 20 * i))
        answer(session)
        session.accept()
    session.reopen(3)
    answer(session)
    session.accept()
    session.merge([1, 2])
    session.delete(5)
    others = session.others[3990:4050, 4000:4100]
    session.labels_in(Box(3990, 4000, 4050, 4100))
    while session.undo():
        pass
    while session.redo():
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert others.any()
    assert peak < 2_000_000  # bytes; the labels alone would be 268 million


def test_accepting_costs_at_most_one_call_for_each_of_thousands_of_other_objects():
    def calls_of_accept(count: int) -> int:
        session = Session((8192, 8192))
        pixels = np.zeros((2000, 2000), np.int32)
        pixels[: 25 * count : 25, : 25 * count : 25] = (
            np.arange(count * count).reshape(count, count) + 1
        )
        session.adopt(objects_of(pixels))
        session.click(Click(1000, 1010))
        answer(session)

        with Profile() as profile:
            session.accept()

        assert len(session.objects) == count * count + 1
        return sum(entry.callcount for entry in profile.getstats())

    assert calls_of_accept(80) - calls_of_accept(2) <= 80 * 80


def test_others_are_drawn_only_where_they_are_read():
    session = Session(GRID)
    accept_at(session, 5, 5)
    accept_at(session, 15, 20)
    whole = session.labels() > 0

    others = session.others

    assert others.shape == GRID
    assert others.ndim == 2
    assert others.dtype == np.bool_
    assert (np.asarray(others) == whole).all()
    assert (others[3:20:2, -12:] == whole[3:20:2, -12:]).all()
    assert (others[::-3, 25:2:-1] == whole[::-3, 25:2:-1]).all()
    assert others[5:5, 0:3].shape == (0, 3)
    with pytest.raises(IndexError, match="two slices, got 3"):
        others[3]


def test_others_are_a_snapshot():
    session = Session(GRID)
    accept_at(session, 5, 5)
    others = session.others

    session.delete(1)

    assert np.asarray(others).sum() == 49
    assert not np.asarray(session.others).any()


# ------------------------------------------------------------------ any order at all

clicks_ = st.builds(
    Click, st.integers(0, GRID[0] - 1), st.integers(0, GRID[1] - 1), st.booleans()
)


class AnyOrder(RuleBasedStateMachine):
    """A user, and a slow predictor, doing things in any order."""

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(GRID)
        self.past = []  # states before each step
        self.future = []

    def do(self, command, *arguments) -> None:
        before = state(self.session)
        try:
            command(*arguments)
        except ValueError:
            assert state(self.session) == before
            return
        if state(self.session) != before:
            self.past.append(before)
            self.future.clear()

    @rule(click=clicks_)
    def click(self, click: Click) -> None:
        self.do(self.session.click, click)

    @rule(row=st.integers(-1, GRID[0]), column=st.integers(-1, GRID[1]))
    def click_perhaps_outside(self, row: int, column: int) -> None:
        self.do(self.session.click, Click(row, column))

    @rule(index=st.integers(0, 9))
    def remove(self, index: int) -> None:
        clicks = [*self.session.clicks, Click(0, 0)]
        self.do(self.session.remove, clicks[index % len(clicks)])

    @rule(index=st.integers(0, 9), new=clicks_)
    def replace(self, index: int, new: Click) -> None:
        clicks = [*self.session.clicks, Click(0, 0)]
        self.do(self.session.replace, clicks[index % len(clicks)], new)

    @rule()
    def clear(self) -> None:
        self.do(self.session.clear)

    @rule(target=asked)
    def ask(self) -> Request | None:
        return self.session.wanted

    @rule(request=consumes(asked))
    def deliver_perhaps_late(self, request: Request | None) -> None:
        if request is not None:
            before = state(self.session)
            self.session.deliver(request, answers(request))
            assert state(self.session) == before

    @rule()
    def deliver_at_once(self) -> None:
        answer(self.session)

    @rule(index=st.integers(-1, 2))
    def choose(self, index: int) -> None:
        self.do(self.session.choose, index)

    @rule()
    def answer_and_accept(self) -> None:
        answer(self.session)
        self.do(self.session.accept)

    @rule()
    def accept(self) -> None:
        self.do(self.session.accept)

    @rule(label=st.integers(1, 4))
    def reopen(self, label: int) -> None:
        self.do(self.session.reopen, label)

    @rule(label=st.integers(1, 4))
    def delete(self, label: int) -> None:
        self.do(self.session.delete, label)

    @rule(labels=st.sets(st.integers(1, 4), min_size=1, max_size=3))
    def merge(self, labels: set[int]) -> None:
        self.do(self.session.merge, sorted(labels))

    @rule(overlap=st.sampled_from(Overlap))
    def decide_overlap(self, overlap: Overlap) -> None:
        self.session.overlap = overlap

    @rule()
    def undo(self) -> None:
        before = state(self.session)
        assert self.session.undo() == bool(self.past)
        if self.past:
            assert state(self.session) == self.past.pop()
            self.future.append(before)

    @precondition(lambda self: self.future)
    @rule()
    def redo(self) -> None:
        self.past.append(state(self.session))
        assert self.session.redo()
        assert state(self.session) == self.future.pop()

    @invariant()
    def history_is_as_long_as_it_should_be(self) -> None:
        assert self.session.can_undo == bool(self.past)
        assert self.session.can_redo == bool(self.future)

    @invariant()
    def only_answers_to_these_clicks_are_shown(self) -> None:
        shown, clicks = self.session.answer, self.session.clicks
        if len(clicks) == 0:
            assert shown is self.session.prior
        elif shown is not None:
            right = square(clicks, 3 + self.session.hypothesis)
            assert shown.offset == right.offset
            assert (shown.probability == right.probability).all()
            assert self.session.wanted is None
        else:
            assert self.session.wanted.clicks == clicks

    @invariant()
    def every_pixel_has_one_owner_and_every_object_its_pixels(self) -> None:
        labels = self.session.labels()
        for label, one in self.session.objects.items():
            found = np.argwhere(labels == label)
            assert one.label == label
            assert len(found) == one.area > 0
            assert (found.min(axis=0) == (one.box.top, one.box.left)).all()
            assert (found.max(axis=0) == (one.box.bottom - 1, one.box.right - 1)).all()
        assert set(np.unique(labels)) - {0} == set(self.session.objects)
        assert (np.asarray(self.session.others) == (labels > 0)).all()

    @invariant()
    def the_label_in_progress_is_free(self) -> None:
        assert self.session.label not in self.session.objects

    @rule(corners=st.tuples(*[st.integers(0, 24)] * 4))
    def a_part_of_the_labels_is_a_crop_of_them(self, corners) -> None:
        top, bottom = sorted(corners[:2])
        left, right = sorted(corners[2:])
        box = Box(top, left, bottom, right)
        assert (self.session.labels_in(box) == self.session.labels()[box.slices]).all()
        assert self.session.labels_in(box).shape == box.shape


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
