"""Geodesic matting: the nearest scribble where a change of likelihood is a long way.

Bai and Sapiro, "A geodesic framework for fast interactive image and video segmentation
and matting", ICCV 2007.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from napari_iseg.arrays import ProbabilityMap
from napari_iseg.classical.colours import ColourModel, in_lab
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.shortest_paths import PathGraph


@dataclass(frozen=True, slots=True)
class GeodesicMatting:
    """Likelihood by colours, then geodesic distances in its gradient."""

    colours: ColourModel = field(default_factory=ColourModel)

    def __call__(self, scene: Scene) -> ProbabilityMap:
        in_colours = replace_image(scene)
        ratio = self.colours.log_ratio(in_colours)
        likelihood = 1 / (1 + np.exp(-ratio))  # P_F / (P_F + P_B)
        pairs = pairs_of(scene.grid)
        flat = likelihood.ravel()
        change = np.abs(flat[pairs.first] - flat[pairs.second])  # W, by steps
        graph = PathGraph.of(scene.grid, change)
        inside = graph.distances(scene.object_seeds)
        outside = graph.distances(scene.background_seeds)
        total = np.maximum(inside + outside, 1e-12)
        return (outside / total).astype(np.float32)


def replace_image(scene: Scene) -> Scene:
    """The scene in a colour space where distances are like those for an eye."""
    return replace(scene, image=in_lab(scene.image))


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """Geodesic matting; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, GeodesicMatting())
