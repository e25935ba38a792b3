"""One cell of many that touch: clicks share out what a network takes for foreground.

A network for images knows foreground, and takes cells that touch for one part of it. A
click on the neighbour contradicts what it was trained to say: BRS would talk it out of
the pixels around the click. To cut there answers the click at once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from napari_iseg.arrays import Grid, ImageLike, Mask, ProbabilityMap
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.descent import Bounds
from napari_iseg.refine.merging import clicked_parts, without
from napari_iseg.refine.obedience import obeying
from napari_iseg.refine.own_windows import OwnPredictor
from napari_iseg.refine.splitting import DEPTH, split
from napari_iseg.refine.windowed import CONSTANT, REMEMBERED, remember
from napari_iseg.segmenter import Patch
from napari_iseg.widest_error import Place

# Of BRS: a click that it has not made right by then is made right around it.
SOON = Bounds(iterations=4)


@dataclass(frozen=True, slots=True)
class Separated:
    """A converted network, of whose foreground a click takes one cell.

    Attributes
    ----------
    segmenter
        Of ``make_interactive``, for one object at a time.
    split
        Whether it does. Else it takes all that is connected, and the network is told
        of every click, as the paper has it.
    depth
        What are two cells, in pixels: see ``splitting.split``.
    """

    segmenter: BRS
    split: bool = True
    depth: float = DEPTH

    @property
    def device(self) -> str:
        """Where the network really runs."""
        return self.segmenter.device

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> OwnPredictor | SeparatedPredictor:
        """See ``Segmenter.prepare``."""
        network = self.segmenter.prepare(image, prior, others)
        assert isinstance(network, OwnPredictor)
        return SeparatedPredictor(network, self.depth) if self.split else network


class SeparatedPredictor:
    """See ``Predictor``; made by ``Separated.prepare``.

    The network is told of the clicks that it may agree with: positive ones, and
    negative ones on what it takes for background itself. All of them share out its
    foreground. What is still wrong then, where BRS found no way, is corrected locally.
    """

    def __init__(self, network: OwnPredictor, depth: float = DEPTH) -> None:
        self.network, self.depth = network, depth
        self.remark: str | None = None  # about the newest answer that was asked for
        self.answers: OrderedDict[Clicks, Patch] = OrderedDict()

    @property
    def grid(self) -> Grid:
        return self.network.grid

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def predict_patch(self, clicks: Clicks) -> Patch:
        clicks.check_inside(self.grid)
        state = self.network.state(self.told(clicks))
        is_constant = state.remark == CONSTANT
        self.remark = CONSTANT if is_constant else None
        patch = self.answers.get(clicks)
        if patch is None:
            nothing = is_constant or not (clicks.positive or self.has_prior)
            patch = state.patch if nothing else self.separated(state.patch, clicks)
        remember(self.answers, clicks, patch, REMEMBERED)
        return patch

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        found = self.alternative_patches(clicks)
        return [(patch.on(self.grid), score) for patch, score in found]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        """One; its score is how sure the network is of its pixels, in the mean."""
        patch = self.predict_patch(clicks)
        inside = patch.probability[patch.mask()]
        return [(patch, float(inside.mean()) if inside.size else 0.0)]

    @property
    def has_prior(self) -> bool:
        return not self.network.start.is_empty

    def told(self, clicks: Clicks) -> Clicks:
        """Those that the network may agree with."""
        object_at = self.network.is_object_at
        return Clicks(tuple(c for c in clicks if c.is_positive or not object_at(c)))

    def separated(self, foreground: Patch, clicks: Clicks) -> Patch:
        """The clicked cell of a foreground, every click obeyed."""
        mask = foreground.mask()
        cell = split(
            mask,
            places(foreground, clicks.positive),
            places(foreground, clicks.negative),
            depth=self.depth,
            is_one=self.has_prior,
        )
        cut = without(foreground, mask & ~cell)
        return obeying(clicked_parts(cut, clicks), clicks, self.grid)


def places(patch: Patch, clicks: tuple[Click, ...]) -> list[Place]:
    """Clicks as pixels of a patch; without those outside of it."""
    (top, left), (height, width) = patch.offset, patch.probability.shape
    moved = [(click.row - top, click.column - left) for click in clicks]
    return [at for at in moved if 0 <= at[0] < height and 0 <= at[1] < width]
