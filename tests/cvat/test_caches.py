"""What is remembered stays within its limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.cvat.caches import RecentlyUsed


@given(st.lists(st.tuples(st.binary(max_size=1), st.integers(0, 60)), max_size=40))
def test_no_more_is_kept_than_allowed_but_the_last_always(steps):
    kept: RecentlyUsed[int] = RecentlyUsed(bytes_kept=100, number_kept=3)

    for number, (key, size) in enumerate(steps):
        kept.keep(key, number, size)

        assert kept.get(key) == number
        assert len(kept) <= 3
        assert kept.size <= 100 or len(kept) == 1


def test_what_was_not_used_for_longest_goes_first():
    kept: RecentlyUsed[str] = RecentlyUsed(bytes_kept=100, number_kept=2)
    kept.keep(b"a", "first", 1)
    kept.keep(b"b", "second", 1)
    kept.get(b"a")

    kept.keep(b"c", "third", 1)

    assert b"a" in kept
    assert kept.get(b"b") is None


def test_a_value_is_made_once():
    kept: RecentlyUsed[str] = RecentlyUsed(bytes_kept=100, number_kept=2)

    first = kept.get_or_make(b"a", lambda: "made", len)

    assert kept.get_or_make(b"a", lambda: "again", len) == first
    assert kept.size == 4


def test_a_value_that_grew_pushes_others_out():
    kept: RecentlyUsed[str] = RecentlyUsed(bytes_kept=100, number_kept=5)
    kept.keep(b"a", "a", 40)
    kept.keep(b"b", "b", 40)

    kept.resized(b"b", 90)
    kept.resized(b"unknown", 90)

    assert b"a" not in kept
    assert kept.size == 90
