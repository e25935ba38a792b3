"""Graph cut whose object is star-convex: each pixel sees a centre along its path.

Gulshan, Rother, Criminisi, Blake and Zisserman, "Geodesic star convexity for
interactive image segmentation", CVPR 2010. The seeds of the object are the centres;
each other pixel has one path to the nearest of them, and the paths form a forest. A
pixel is of the object only if the next one on its path is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import ProbabilityMap
from napari_iseg.classical.banded_cut import BandedCut, Energy, Parents
from napari_iseg.classical.colours import ColourModel
from napari_iseg.classical.graph_cut import contrast_weights
from napari_iseg.classical.scene import Scene


class Paths(Protocol):
    """The forest of paths to the centres."""

    def __call__(self, scene: Scene) -> Parents:
        """The next pixel on each pixel's path, ``(h * w,)``; a centre: itself."""
        ...


@dataclass(frozen=True, slots=True)
class StarCut:
    """The labelling of least energy among the star-convex ones."""

    paths: Paths
    boundary: float = 10.0  # nats for a pixel of boundary
    colours: ColourModel = field(default_factory=ColourModel)
    cut: BandedCut = field(default_factory=BandedCut)

    def __call__(self, scene: Scene) -> ProbabilityMap:
        mask = self.cut(scene, self.colours.log_ratio(scene), self.energy)
        return mask.astype(np.float32)

    def energy(self, scene: Scene, evidence: NDArray[np.float32]) -> Energy:
        weights = contrast_weights(scene, self.boundary)
        return Energy(scene, evidence, weights, self.paths(scene))
