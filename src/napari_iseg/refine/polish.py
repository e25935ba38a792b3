"""Graph cut after any method: its answer, drawn to where the image has contrast.

So DOS (Xu et al., CVPR 2016), RIS-Net and FCTSFN end. The energy is Boykov and Jolly's
(ICCV 2001) with the method's probability in the place of a colour model::

    sum over pixels -log P(label) + boundary * sum over pairs [labels differ]
        * exp(-contrast * d**2 / (2 * sigma**2)) / distance

with ``d`` the colour difference of two of the eight neighbours and ``sigma**2`` its
mean square; clicks are hard constraints. Only the mask's surroundings are read and cut.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import (
    Box,
    Grid,
    ImageLike,
    Mask,
    ProbabilityMap,
    bounding_box,
)
from napari_iseg.classical.banded_cut import BandedCut, Energy, cut_where
from napari_iseg.classical.graph_cut import contrast_weights
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.scene import Scene, enlarged_to
from napari_iseg.classical.seeds import SeedRules
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.refine.level import logits
from napari_iseg.refine.obedience import grown, obeying
from napari_iseg.segmenter import Patch, Predictor, Segmenter

REMEMBERED = 32  # polished answers kept per predictor
CLEARLY = 0.51  # at least, where the cut made the object larger
ROUNDING = 0.01  # nats: capacities of a cut are whole thousandths


@dataclass(frozen=True, slots=True, kw_only=True)
class Polish:
    """What a cut costs, and where there is one.

    The first two are chosen by ``python -m training polish``: ``docs/polish.md``.
    """

    boundary: float = 0.25  # lambda: nats for a pixel of boundary without contrast
    contrast: float = 1.0  # beta, over 1 / (2 sigma**2)
    radius: float = 0.0  # pixels around a click that are certain; 0: the clicked one
    margin: float = 0.25  # around the mask, of its longer side ...
    least: int = 8  # ... and at least so many pixels
    most: int = 512  # pixels a side; a wider region is cut in coarser ones
    exact: int = (
        20_000  # undecided pixels; more are cut in small, then along the outline
    )

    def patch(self, image: ScaledImage, patch: Patch, clicks: Clicks) -> Patch:
        """``patch`` with the labels of least energy; ``clicks`` in image pixels.

        A pixel that keeps its label keeps its probability; that of another one is
        mirrored at 0.5. An empty mask stays empty.
        """
        mask = patch.mask()
        if not mask.any():
            return patch
        for click in clicks.positive:
            if not patch.at(click.row, click.column) > 0.5:
                patch = grown(patch, click, image.grid)
        box = self.region(patch, clicks)
        inside = box.moved(-patch.offset[0], -patch.offset[1]).slices
        probability = patch.probability.copy()
        probability[inside] = self.cut(image, box, probability[inside], clicks)
        return obeying(Patch(probability, patch.offset), clicks, image.grid)

    def region(self, patch: Patch, clicks: Clicks) -> Box:
        """Mask and positive clicks with a margin, inside the patch."""
        found = bounding_box(patch.mask())
        assert found is not None
        box = found.moved(*patch.offset)
        for click in clicks.positive:
            at = Box(click.row, click.column, click.row + 1, click.column + 1)
            box = box.union(at)
        margin = max(self.least, ceil(self.margin * max(box.shape)))
        wide = Box(
            box.top - margin, box.left - margin, box.bottom + margin, box.right + margin
        )
        return wide.intersection(patch.box)

    def cut(
        self, image: ScaledImage, box: Box, probability: ProbabilityMap, clicks: Clicks
    ) -> ProbabilityMap:
        """``probability`` of the pixels of ``box``, polished."""
        factor = max(1, ceil(max(box.shape) / self.most))
        pixels = np.clip(image.read(box, factor), 0, 1)
        seeds = SeedRules(self.radius).of_clicks(clicks_in(box, clicks), box.shape)
        scene = Scene(pixels, coarse_seeds(seeds, factor), factor)
        coarse = probability[::factor, ::factor]
        # A coarse pixel has factor**2 pixels of evidence but factor pixels of boundary.
        label = self.labelled(scene, logits(coarse) * np.float32(factor))
        changed = label != (coarse > 0.5)
        label, changed = (enlarged_to(a, factor, box.shape) for a in (label, changed))
        return relabelled(probability, np.where(changed, label, probability > 0.5))

    def labelled(self, scene: Scene, evidence: NDArray[np.float32]) -> Mask:
        """The mask of least energy. ``evidence`` ``(h, w)`` for the object, in nats."""
        energy = self.energy(scene, evidence)
        sure = decided(energy)
        start = np.where(scene.seeds == 0, evidence > 0, scene.seeds > 0)
        if np.count_nonzero(~sure) <= self.exact:
            return cut_where(energy, start, ~sure)
        return BandedCut(self.exact)(scene, evidence, self.energy)

    def energy(self, scene: Scene, evidence: NDArray[np.float32]) -> Energy:
        weights = contrast_weights(scene, self.boundary, self.contrast)
        return Energy(scene, evidence, weights)


def decided(energy: Energy) -> Mask:
    """Pixels whose label no neighbour can change, ``(h, w)``: no cut is needed there.

    Those whose evidence is stronger than all the boundary around them, and seeds.
    """
    pairs = pairs_of(energy.scene.grid)
    evidence = energy.known()
    around = sum(
        np.bincount(ends, energy.weights, evidence.size)
        for ends in (pairs.first, pairs.second)
    )
    sure: Mask = np.abs(evidence) > around + ROUNDING
    return sure.reshape(energy.scene.grid)


def relabelled(probability: ProbabilityMap, label: Mask) -> ProbabilityMap:
    """Above 0.5 exactly where ``label`` is; what has to change is mirrored."""
    inside = np.maximum(np.maximum(probability, 1 - probability), np.float32(CLEARLY))
    kept = np.where(probability > 0.5, probability, inside)
    return np.where(label, kept, np.minimum(probability, 1 - probability))


def clicks_in(box: Box, clicks: Clicks) -> Clicks:
    """Those inside of ``box``, in its own pixels."""
    return Clicks(
        tuple(
            Click(c.row - box.top, c.column - box.left, c.is_positive)
            for c in clicks
            if box.top <= c.row < box.bottom and box.left <= c.column < box.right
        )
    )


def coarse_seeds(seeds: NDArray[np.int8], factor: int) -> NDArray[np.int8]:
    """Seeds as every ``factor``-th pixel sees those of its block."""
    blank = np.zeros((*seeds.shape, 1), np.float32)
    return Scene(blank, seeds).reduced(factor).seeds


@dataclass(frozen=True, slots=True)
class Polished:
    """A segmenter whose answers are polished."""

    segmenter: Segmenter
    polish: Polish = field(default_factory=Polish)

    @property
    def device(self) -> str:
        """Where the method runs; the cut runs on the processor."""
        return str(getattr(self.segmenter, "device", "cpu"))

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> PolishedPredictor:
        """See ``Segmenter.prepare``; images and priors as the method takes them."""
        scaled = image if isinstance(image, ScaledImage) else ScaledImage(image)
        # What a method takes beyond the seam, like an image with its intensities.
        asked: Any = self.segmenter
        return PolishedPredictor(
            asked.prepare(image, prior=prior, others=others), scaled, self.polish
        )


class PolishedPredictor:
    """See ``Predictor``; made by ``Polished.prepare``. No click: as the method says."""

    def __init__(
        self, predictor: Predictor, image: ScaledImage, polish: Polish
    ) -> None:
        self.predictor, self.image, self.polish = predictor, image, polish
        self.answers: OrderedDict[Clicks, Patch] = OrderedDict()

    @property
    def grid(self) -> Grid:
        return self.image.grid

    @property
    def remark(self) -> str | None:
        """The method's, about the newest answer that was asked for."""
        found: str | None = getattr(self.predictor, "remark", None)
        return found

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def predict_patch(self, clicks: Clicks) -> Patch:
        rough = self.predictor.predict_patch(clicks)
        if clicks not in self.answers:
            self.answers[clicks] = self.polished(rough, clicks)
        self.answers.move_to_end(clicks)
        while len(self.answers) > REMEMBERED:
            self.answers.popitem(last=False)
        return self.answers[clicks]

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        found = self.alternative_patches(clicks)
        return [(patch.on(self.grid), score) for patch, score in found]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        """The method's hypotheses in its order, each polished."""
        (_, score), *others = self.predictor.alternative_patches(clicks)
        more = [(self.polished(patch, clicks), its) for patch, its in others]
        return [(self.predict_patch(clicks), score), *more]

    def polished(self, patch: Patch, clicks: Clicks) -> Patch:
        return self.polish.patch(self.image, patch, clicks) if len(clicks) else patch
