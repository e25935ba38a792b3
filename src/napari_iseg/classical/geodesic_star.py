"""Geodesic star convexity: rays that bend along the image (Gulshan 2010)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_iseg.classical.banded_cut import Parents
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.shortest_paths import PathGraph
from napari_iseg.classical.star_cut import StarCut


@dataclass(frozen=True, slots=True)
class Geodesics:
    """The shortest path where contrast is long.

    The length of a step is ``sqrt((1 - g) * distance**2 + g * (scale * d)**2)`` with
    ``d`` the colour difference; ``g`` = 0 gives straight rays. Distances are those of
    the image, also where its pixels are seen coarser.
    """

    geodesic: float = 0.2  # gamma_g, the share of contrast in a length
    scale: float = 100.0  # pixels that a colour difference of 1 (of 0..1) is long

    def __call__(self, scene: Scene) -> Parents:
        pairs = pairs_of(scene.grid)
        contrast = pairs.squared_differences(scene.image) * self.scale**2
        distance, share = pairs.distance * scene.pixel, self.geodesic
        lengths = np.sqrt((1 - share) * distance**2 + share * contrast)
        return PathGraph.of(scene.grid, lengths).parents(scene.object_seeds)


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """Star convexity; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, StarCut(Geodesics()))
