"""A part of a data set that stands for all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.datasets import BenchmarkObject, image_of, subset


@dataclass(frozen=True)
class Listed:
    """A data set of names alone: ``counts`` objects in images a, b, c, ..."""

    counts: tuple[int, ...]

    def samples(self) -> Sequence[str]:
        return [
            f"{'abcdefgh'[i]}/{k + 1}"
            for i, n in enumerate(self.counts)
            for k in range(n)
        ]

    def read(self, sample: str) -> BenchmarkObject:
        raise NotImplementedError(sample)


@pytest.mark.parametrize(
    ("limit", "seed", "chosen"),
    [
        (4, 0, "a/3 a/4 b/1 c/3"),
        (6, 0, "a/2 a/3 a/4 b/1 c/1 c/3"),
        (4, 1, "a/3 a/5 b/1 c/2"),
    ],
)
def test_the_objects_of_older_tables_are_drawn_again(
    limit: int, seed: int, chosen: str
) -> None:
    assert subset(Listed((5, 1, 3)), limit, seed) == chosen.split()


@given(
    st.lists(st.integers(0, 6), max_size=8).map(tuple),
    st.integers(0, 50),
    st.integers(0, 9),
)
def test_a_subset_is_spread_evenly_in_the_order_of_the_data_set(
    counts: tuple[int, ...], limit: int, seed: int
) -> None:
    data = Listed(counts)

    chosen = subset(data, limit, seed)

    assert chosen == [s for s in data.samples() if s in set(chosen)]
    assert len(chosen) == (min(limit, sum(counts)) if limit else sum(counts))
    taken = Counter(map(image_of, chosen))
    has = Counter(map(image_of, data.samples()))
    most = max(taken.values(), default=0)
    assert all(taken[name] >= min(most - 1, has[name]) for name in has)
