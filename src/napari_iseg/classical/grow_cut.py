"""GrowCut: seeds conquer their neighbours, the better the more alike they are.

Vezhnevets and Konouchine, "GrowCut: interactive multi-label N-D image segmentation by
cellular automata", GraphiCon 2005.

A cell attacks with its strength times ``g``, and the strongest attack it ever met is
what a cell ends with: the largest product of ``g`` over all paths from a seed of
strength 1. The shortest path with lengths ``-log g`` finds the same without the
automaton's hundreds of steps; a test shows that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import ProbabilityMap
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.shortest_paths import PathGraph


@dataclass(frozen=True, slots=True)
class GrowCut:
    """The automaton's final state; its Moore neighbourhood has eight cells.

    The paper allows any ``g`` that falls with the colour difference ``d`` and takes
    ``1 - d / max``. By it a long way through noise is as far as a clear border, so
    here it is ``exp(-(d / (width * s))**2)``, ``s`` the root mean squared difference
    of neighbours in the scene.
    """

    width: float = 3.0  # of g, in units of s

    def __call__(self, scene: Scene) -> ProbabilityMap:
        graph = PathGraph.of(scene.grid, -self.log_similarity(scene))
        inside = graph.distances(scene.object_seeds)
        outside = graph.distances(scene.background_seeds)
        # strength theta = exp(-distance); its share is the probability
        return (1 / (1 + np.exp(np.clip(inside - outside, -50, 50)))).astype(np.float32)

    def log_similarity(self, scene: Scene) -> NDArray[np.float32]:
        """``log g`` for each pair of neighbours, ``(E,)``."""
        squared = pairs_of(scene.grid).squared_differences(scene.image)
        mean = max(float(squared.mean()), 1e-12)
        return -squared / np.float32(mean * self.width**2)


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """GrowCut; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, GrowCut())
