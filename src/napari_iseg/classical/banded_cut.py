"""A minimum cut over an image: exact in small, then along the outline in full.

Lombaert, Sun, Grady and Xu, "A multilevel banded graph cuts method for fast image
segmentation", ICCV 2005: what the cut of a smaller image decides far from its outline
is kept, the rest is cut again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.classical.grid_graph import Pairs, pairs_of
from napari_iseg.classical.min_cut import Links, Needs, minimum_cut
from napari_iseg.classical.scene import Scene, enlarged_to, shrunk

Parents = NDArray[np.int64]  # (H * W,): of each pixel another one, or itself


@dataclass(frozen=True, slots=True, eq=False)
class Energy:
    """What a labelling of a scene costs.

    ``evidence`` ``(h, w)``: what the background label costs more than the object
    label, without seeds. ``weights`` ``(E,)``: what a boundary between two neighbours
    costs. ``parents``: a pixel of the object whose parent is not costs infinitely
    much; None if there is no such rule.
    """

    scene: Scene
    evidence: NDArray[np.float32]
    weights: NDArray[np.float32]
    parents: Parents | None = None

    def known(self) -> NDArray[np.float64]:
        """The evidence, infinite on seeds, ``(h * w,)``."""
        certain = np.where(self.scene.seeds > 0, np.inf, -np.inf)
        known = np.where(self.scene.seeds == 0, self.evidence, certain)
        return known.ravel()


# What a scene and its evidence cost: once for the small image and once for the whole.
EnergyOf = Callable[[Scene, NDArray[np.float32]], Energy]


@dataclass(frozen=True, slots=True)
class BandedCut:
    """The mask of least energy; exact up to ``exact`` pixels, banded above."""

    exact: int = 20_000
    half_width: int = 2  # of the band, in pixels of the small image

    def __call__(
        self, scene: Scene, evidence: NDArray[np.float32], energy_of: EnergyOf
    ) -> Mask:
        """``evidence`` ``(h, w)`` of each pixel; ``energy_of`` as above."""
        factor = ceil(sqrt(scene.seeds.size / self.exact))
        if factor == 1:
            return whole_cut(energy_of(scene, evidence))
        # A block has factor**2 pixels of evidence but only factor pixels of boundary.
        small = shrunk(evidence, factor) * np.float32(factor)
        rough = whole_cut(energy_of(scene.reduced(factor), small))
        start = enlarged_to(rough, factor, scene.grid)
        return band_cut(energy_of(scene, evidence), start, factor * self.half_width)


def whole_cut(energy: Energy) -> Mask:
    """The mask of least energy, exactly."""
    pairs = pairs_of(energy.scene.grid)
    links = Links(pairs.first, pairs.second, energy.weights)
    needs = None if energy.parents is None else needs_of(energy.parents)
    return minimum_cut(energy.known(), links, needs).reshape(energy.scene.grid)


def needs_of(parents: Parents) -> Needs:
    """Each pixel that has a parent, and that."""
    children = np.flatnonzero(parents != np.arange(parents.size))
    return Needs(children, parents[children])


def band_cut(energy: Energy, start: Mask, width: int) -> Mask:
    """The mask of least energy among those that equal ``start`` off its outline."""
    scene = energy.scene
    start = np.where(scene.seeds == 0, start, scene.seeds > 0)
    if energy.parents is not None:
        start = closed(start.ravel(), energy.parents).reshape(scene.grid)
    return cut_where(energy, start, near_outline(start, width))


def cut_where(energy: Energy, start: Mask, free: Mask) -> Mask:
    """The mask of least energy among those that equal ``start`` where not ``free``.

    ``start`` has the label of every seed, and breaks no rule about parents.
    """
    scene = energy.scene
    numbers = np.flatnonzero(free)
    place = np.full(start.size, -1, np.int64)
    place[numbers] = np.arange(numbers.size)
    fixed = start.ravel()
    evidence = energy.known()[numbers]
    evidence = evidence + pull(energy, place, fixed)[numbers]
    pairs = pairs_of(scene.grid)
    inside = (place[pairs.first] >= 0) & (place[pairs.second] >= 0)
    links = Links(
        place[pairs.first[inside]],
        place[pairs.second[inside]],
        energy.weights[inside],
    )
    needs = None
    if energy.parents is not None:
        evidence = bound(evidence, energy.parents, place, fixed)
        child = numbers[place[energy.parents[numbers]] >= 0]
        child = child[energy.parents[child] != child]
        needs = Needs(place[child], place[energy.parents[child]])
    answer = fixed.copy()
    answer[numbers] = minimum_cut(evidence, links, needs)
    return answer.reshape(scene.grid)


def near_outline(mask: Mask, width: int) -> Mask:
    """Pixels at most ``width`` from one of the other label."""
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    grey = mask.astype(np.uint8)
    return cv2.dilate(grey, kernel) != cv2.erode(grey, kernel)


def pull(
    energy: Energy, place: NDArray[np.int64], fixed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Evidence from neighbours whose label is fixed, ``(h * w,)``."""
    pairs: Pairs = pairs_of(energy.scene.grid)
    total = np.zeros(fixed.size)
    for one, other in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        at = (place[one] >= 0) & (place[other] < 0)
        sign = np.where(fixed[other[at]], 1, -1)
        total += np.bincount(one[at], energy.weights[at] * sign, fixed.size)
    return total


def bound(
    evidence: NDArray[np.float64],
    parents: Parents,
    place: NDArray[np.int64],
    fixed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Evidence of the free pixels with what parents and children beyond demand."""
    free = np.flatnonzero(place >= 0)
    bound = evidence.copy()
    lost = (place[parents[free]] < 0) & ~fixed[parents[free]]
    bound[place[free[lost]]] = -np.inf
    outside = np.flatnonzero((place < 0) & fixed)
    needed = parents[outside]
    bound[place[needed[place[needed] >= 0]]] = np.inf
    return bound


def closed(mask: NDArray[np.bool_], parents: Parents) -> NDArray[np.bool_]:
    """``mask`` without pixels one of whose ancestors is missing, ``(h * w,)``."""
    kept, ancestor = mask.copy(), parents
    while True:
        kept &= kept[ancestor]
        further = ancestor[ancestor]
        if np.array_equal(further, ancestor):
            return kept
        ancestor = further
