"""Distances over the grid are those of the shortest of all paths."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.shortest_paths import PathGraph
from tests.classical.brute_force import neighbours

GRID = (4, 5)


def relaxed(lengths: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Bellman and Ford: try every edge until nothing becomes shorter."""
    pairs = pairs_of(GRID)
    found = np.where(sources.ravel(), 0.0, np.inf)
    for _ in range(found.size):
        for i, j, length in zip(pairs.first, pairs.second, lengths, strict=True):
            found[i] = min(found[i], found[j] + length)
            found[j] = min(found[j], found[i] + length)
    return found.reshape(GRID)


def test_each_pair_of_neighbours_is_there_once():
    pairs = pairs_of((3, 4))

    found = set(zip(pairs.first, pairs.second, pairs.distance, strict=True))

    assert len(found) == pairs.first.size
    assert {(min(i, j), max(i, j), round(float(d), 5)) for i, j, d in found} == {
        (i, j, round(d, 5)) for i, j, d in neighbours(3, 4)
    }


def test_differences_belong_to_their_pair():
    image = np.random.default_rng(0).random((3, 4, 3)).astype(np.float32)
    pairs = pairs_of((3, 4))

    found = pairs.squared_differences(image)

    flat = image.reshape(-1, 3)
    expected = np.square(flat[pairs.first] - flat[pairs.second]).sum(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_distances_are_the_shortest(seed: int):
    rng = np.random.default_rng(seed)
    lengths = rng.random(pairs_of(GRID).first.size)
    sources = rng.random(GRID) < 0.2
    sources[0, 0] = True

    found = PathGraph.of(GRID, lengths).distances(sources)

    np.testing.assert_allclose(found, relaxed(lengths, sources), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_parents_lead_to_a_source_on_a_shortest_path(seed: int):
    rng = np.random.default_rng(seed)
    pairs = pairs_of(GRID)
    lengths = 0.1 + rng.random(pairs.first.size)
    sources = np.zeros(GRID, bool)
    sources.ravel()[rng.choice(20, 2, replace=False)] = True
    graph = PathGraph.of(GRID, lengths)

    parents, distance = graph.parents(sources), graph.distances(sources).ravel()

    length = {
        frozenset((int(i), int(j))): d
        for i, j, d in zip(pairs.first, pairs.second, lengths, strict=True)
    }
    for pixel, parent in enumerate(parents):
        if sources.ravel()[pixel]:
            assert parent == pixel
        else:
            step = length[frozenset((pixel, int(parent)))]
            assert distance[pixel] == np.float64(distance[parent] + step)
