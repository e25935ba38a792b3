"""Undo and redo, as laws about any states."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.history import History

states = st.lists(st.integers(), min_size=1, max_size=20)


@given(states, st.integers())
def test_undo_takes_back_what_was_done(done: list[int], last: int):
    history = _after(done)

    before = history.present
    history.do(last)
    history.undo()

    assert history.present == before


@given(states)
def test_redo_takes_back_the_undo(done: list[int]):
    history = _after(done)

    undone = 0
    while history.undo():
        undone += 1
    for _ in range(undone):
        assert history.redo()

    assert undone == len(done) - 1
    assert history.present == done[-1]
    assert not history.can_redo


@given(states, states)
def test_what_was_undone_is_forgotten_when_something_else_is_done(
    done: list[int], instead: list[int]
):
    history = _after(done)

    history.undo()
    for state in instead:
        history.do(state)

    assert not history.redo()
    assert history.present == instead[-1]


@given(states)
def test_an_amended_state_is_no_step(done: list[int]):
    history = _after(done)

    could = history.can_undo, history.can_redo
    history.amend(-7)

    assert history.present == -7
    assert (history.can_undo, history.can_redo) == could


def test_a_new_history_has_nothing_to_undo_or_redo():
    history = History("only")

    moved = history.undo() or history.redo()

    assert not moved
    assert not history.can_undo
    assert not history.can_redo
    assert history.present == "only"


def _after(done: list[int]) -> History[int]:
    history = History(done[0])
    for state in done[1:]:
        history.do(state)
    return history
