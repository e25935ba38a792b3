"""Shortest paths over the pixel grid from a set of pixels: geodesic distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from napari_iseg.arrays import Grid, Mask
from napari_iseg.classical.grid_graph import Pairs, pairs_of

SHORTEST = 1e-7  # a length of 0 would be no edge at all in a sparse matrix


@dataclass(frozen=True, slots=True, eq=False)
class PathGraph:
    """The pixels of an image of shape ``grid`` with a length for each pair."""

    grid: Grid
    matrix: csr_array

    @classmethod
    def of(cls, grid: Grid, lengths: NDArray[np.floating]) -> PathGraph:
        """``lengths`` ``(E,)``, >= 0, in the order of ``pairs_of(grid)``."""
        pairs: Pairs = pairs_of(grid)
        count = grid[0] * grid[1]
        values = np.maximum(lengths.astype(np.float64), SHORTEST)
        matrix = csr_array((values, (pairs.first, pairs.second)), (count, count))
        return cls(grid, matrix + matrix.T)

    def distances(self, sources: Mask) -> NDArray[np.float64]:
        """Length of the shortest path from each pixel to a source, ``(H, W)``."""
        numbers = np.flatnonzero(sources)
        found = dijkstra(self.matrix, indices=numbers, min_only=True)
        return found.reshape(self.grid)

    def parents(self, sources: Mask) -> NDArray[np.int64]:
        """The next pixel on each pixel's shortest path to a source, ``(H * W,)``.

        A source is its own parent.
        """
        numbers = np.flatnonzero(sources)
        _, before, _ = dijkstra(
            self.matrix, indices=numbers, min_only=True, return_predecessors=True
        )
        own = np.arange(before.size)
        return np.where(before < 0, own, before)
