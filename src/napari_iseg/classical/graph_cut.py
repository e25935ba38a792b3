"""Graph cut with a colour model from the seeds.

Boykov and Jolly, "Interactive graph cuts for optimal boundary and region segmentation
of objects in N-D images", ICCV 2001.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import ProbabilityMap
from napari_iseg.classical.banded_cut import BandedCut, Energy
from napari_iseg.classical.colours import ColourModel
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.regions import Regional
from napari_iseg.classical.scene import Scene


def contrast_weights(
    scene: Scene, weight: float, contrast: float = 1.0
) -> NDArray[np.float32]:
    """The boundary term, ``(E,)``.

    ``weight * exp(-contrast * d**2 / (2 * sigma**2)) / distance``; ``sigma**2`` is the
    mean squared difference of neighbours in the scene.
    """
    pairs = pairs_of(scene.grid)
    squared = pairs.squared_differences(scene.image)
    scale = np.float32(2 * max(float(squared.mean()), 1e-12))
    return np.float32(weight) * np.exp(-contrast * squared / scale) / pairs.distance


@dataclass(frozen=True, slots=True)
class GraphCut:
    """The labelling of least energy."""

    boundary: float = 20.0  # 1 / lambda of eq. 1: nats for a pixel of boundary
    colours: ColourModel = field(default_factory=ColourModel)
    cut: BandedCut = field(default_factory=BandedCut)

    def __call__(self, scene: Scene) -> ProbabilityMap:
        mask = self.cut(scene, self.colours.log_ratio(scene), self.energy)
        return mask.astype(np.float32)

    def energy(self, scene: Scene, evidence: NDArray[np.float32]) -> Energy:
        return Energy(scene, evidence, contrast_weights(scene, self.boundary))


def build(device: str, weights: Path | None) -> Regional:  # noqa: ARG001 - has none
    """Graph cut; ValueError for a device other than "auto" or "cpu"."""
    return Regional.on(device, GraphCut())
