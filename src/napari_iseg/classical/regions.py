"""From a method for scenes to a segmenter: only a region around the clicks is read.

The region of ``n`` clicks begins as that of the first ``n - 1`` and grows until the
mask keeps clear of its frame. So it is a function of the clicks alone, and what is
kept in between only saves time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from scipy import ndimage

from napari_iseg.arrays import (
    Box,
    Grid,
    ImageLike,
    Mask,
    Plane,
    ProbabilityMap,
    bounding_box,
)
from napari_iseg.classical.frame import Frame
from napari_iseg.classical.scene import Method, Scene, Seeds, enlarged_to
from napari_iseg.classical.seeds import SeedRules, with_clicks
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.segmenter import Patch

REMEMBERED = 32  # answers kept per predictor, up to 1.6 MB each
CONSTANT = "the image is constant around the click: there is nothing to segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRules:
    """Which part of the image is looked at. Pixels of the image."""

    margin: int = 256  # around every positive click and around a prior
    clear: int = 3  # a mask that comes closer to the frame asks for more
    enlarge: float = 1.5
    most: int = 640  # an image of this size is one region, as in the papers; a wider
    # region is looked at in every second, third ... pixel


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is known after some clicks."""

    patch: Patch
    box: Box | None = None
    remark: str | None = None  # a sentence for the user: why there is no mask


@dataclass(frozen=True, slots=True)
class Regional:
    """A segmenter made from a method for scenes."""

    method: Method
    seeds: SeedRules = field(default_factory=SeedRules)
    rules: RegionRules = field(default_factory=RegionRules)

    @classmethod
    def on(cls, device: str, method: Method) -> Regional:
        """A method that runs on the processor, whatever else there is.

        Raises
        ------
        ValueError
            If another device was wished for.
        """
        if device not in ("auto", "cpu"):
            raise ValueError(
                f"a method without a network runs on the processor, not on {device!r}; "
                "choose 'auto' or 'cpu'"
            )
        return cls(method)

    @property
    def device(self) -> str:
        return "cpu"

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> RegionalPredictor:
        """See ``Segmenter.prepare``; a prior may come as a patch, too."""
        scaled = image if isinstance(image, ScaledImage) else ScaledImage(image)
        if not isinstance(prior, Patch):
            check_shape("prior", prior, scaled.grid)
        check_shape("others", others, scaled.grid)
        return RegionalPredictor(self, scaled, as_patch(prior), others)


class RegionalPredictor:
    """See ``Predictor``; made by ``Regional.prepare``."""

    def __init__(
        self,
        segmenter: Regional,
        image: ScaledImage,
        prior: Patch,
        others: Mask | None,
    ) -> None:
        self.method, self.rules = segmenter.method, segmenter.rules
        self.seed_rules = segmenter.seeds
        self.image, self.others, self.prior = image, others, prior
        self.remark: str | None = None  # about the newest answer that was asked for
        self.states: OrderedDict[Clicks, State] = OrderedDict()

    @property
    def grid(self) -> Grid:
        return self.image.grid

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def predict_patch(self, clicks: Clicks) -> Patch:
        return self.state(clicks).patch

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        return [(self.predict(clicks), 0.0)]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        """The answer alone: there is one, and no score of its own."""
        return [(self.predict_patch(clicks), 0.0)]

    def state(self, clicks: Clicks) -> State:
        """The fold over the history, begun at the longest prefix that is remembered."""
        clicks.check_inside(self.grid)
        known = len(clicks)
        while known and clicks.prefix(known) not in self.states:
            known -= 1
        state = self.states[clicks.prefix(known)] if known else self.before
        for length in range(known + 1, len(clicks) + 1):
            state = self.after(state, clicks.prefix(length))
            self.states[clicks.prefix(length)] = state
            if len(self.states) > REMEMBERED:
                self.states.popitem(last=False)
        self.remark = state.remark
        return state

    @property
    def before(self) -> State:
        """The state before the first click: a prior and its surroundings."""
        box = bounding_box(self.prior.mask())
        if box is None:
            return State(self.prior)
        placed = box.moved(*self.prior.offset)
        return State(self.prior, widened(placed, self.rules.margin, self.grid))

    def after(self, state: State, clicks: Clicks) -> State:
        """One more click: the last of ``clicks``."""
        box = self.region(state.box, clicks.last)
        if not clicks.positive and not self.prior.mask().any():
            return State(state.patch, box)
        while True:
            found = self.looked_at(box, clicks)
            larger = grown(box, self.rules.enlarge, self.grid)
            crowded = comes_near(found.patch, box, self.grid, self.rules.clear)
            if not crowded or larger == box:
                return found
            box = larger

    def region(self, box: Box | None, click: Click) -> Box:
        """The region so far with the surroundings of a click in it."""
        if max(self.grid) <= self.rules.most:
            return Box(0, 0, *self.grid)
        at = Box(click.row, click.column, click.row + 1, click.column + 1)
        reach = self.rules.margin if click.is_positive else int(self.seed_rules.radius)
        around = widened(at, reach, self.grid)
        return around if box is None else box.union(around)

    def looked_at(self, box: Box, clicks: Clicks) -> State:
        """The method's answer for one region."""
        factor = max(1, ceil(max(box.shape) / self.rules.most))
        image = np.clip(self.image.read(box, factor), 0, 1)
        known = self.seeds_in(box, clicks)
        if not np.ptp(image) > 0:
            nothing = Patch(np.zeros((1, 1), np.float32), (box.top, box.left))
            return State(nothing, box, CONSTANT)
        frame = Frame.of(box, self.grid)
        answer = self.answer(coarse(image, known, factor), frame)
        whole = enlarged_to(answer, factor, box.shape)
        found = only_clicked(obeying(whole, known), known)
        return State(Patch(found, (box.top, box.left)), box)

    def answer(self, scene: Scene, frame: Frame) -> ProbabilityMap:
        """The method's answer, if there is anything to ask."""
        if not scene.object_seeds.any():
            return np.zeros(scene.grid, np.float32)
        framed = frame.assumed(scene)
        if not framed.background_seeds.any():  # a tiny image, all of it clicked
            return scene.object_seeds.astype(np.float32)
        return frame.continued(self.method(framed))

    def seeds_in(self, box: Box, clicks: Clicks) -> Seeds:
        """What is certain in a region: clicks before other objects before a prior."""
        here = Clicks(
            tuple(
                Click(c.row - box.top, c.column - box.left, c.is_positive)
                for c in clicks
                if box.top <= c.row < box.bottom and box.left <= c.column < box.right
            )
        )
        seeds = self.seed_rules.of_clicks(here, box.shape)
        if self.prior.mask().any():
            prior = part_of(self.prior, box) > 0.5
            known = self.seed_rules.of_prior(prior, here)
            seeds = np.where(seeds == 0, known, seeds)
        if self.others is not None:
            seeds[np.asarray(self.others[box.slices]).astype(bool)] = -1
            seeds = with_clicks(seeds, here)
        return seeds


def check_shape(name: str, array: ImageLike | None, grid: Grid) -> None:
    """Refuse an array that is not of the image's shape, by its name."""
    if array is not None and tuple(array.shape) != grid:
        raise ValueError(
            f"{name} must have the image's shape {grid}, got {tuple(array.shape)}"
        )


def as_patch(prior: ProbabilityMap | Patch | None) -> Patch:
    """A prior without its empty surroundings."""
    if isinstance(prior, Patch):
        return prior
    if prior is None:
        return Patch(np.zeros((1, 1), np.float32), (0, 0))
    whole = np.nan_to_num(np.asarray(prior, np.float32)).clip(0, 1)
    box = bounding_box(whole > 0) or Box(0, 0, 1, 1)
    return Patch(whole[box.slices].copy(), (box.top, box.left))


def part_of(patch: Patch, box: Box) -> ProbabilityMap:
    """What ``patch`` says in ``box``; 0 beyond it."""
    shown = np.zeros(box.shape, np.float32)
    both = box.intersection(patch.box)
    if not both.is_empty:
        part = both.moved(-patch.offset[0], -patch.offset[1]).slices
        shown[both.moved(-box.top, -box.left).slices] = patch.probability[part]
    return shown


def coarse(image: Plane, seeds: Seeds, factor: int) -> Scene:
    """A scene of every ``factor``-th pixel and all seeds."""
    known = Scene(np.zeros((*seeds.shape, 1), np.float32), seeds).reduced(factor)
    return Scene(image, known.seeds, factor)


def obeying(probability: ProbabilityMap, seeds: Seeds) -> ProbabilityMap:
    """Every seed has its label; matters where pixels were left out on reading."""
    probability = probability.copy()
    probability[(seeds > 0) & ~(probability > 0.5)] = 1
    probability[(seeds < 0) & (probability > 0.5)] = 0
    return probability


def only_clicked(probability: ProbabilityMap, seeds: Seeds) -> ProbabilityMap:
    """Parts of the mask without a seed of the object are dropped."""
    parts, count = ndimage.label(probability > 0.5, np.ones((3, 3)))
    wanted = np.zeros(count + 1, bool)
    wanted[parts[seeds > 0]] = True
    wanted[0] = True  # outside of the mask nothing changes
    return np.where(wanted[parts], probability, np.float32(0))


def widened(box: Box, margin: int, grid: Grid) -> Box:
    """``box`` with ``margin`` more pixels on every side, inside the image."""
    wider = Box(
        box.top - margin, box.left - margin, box.bottom + margin, box.right + margin
    )
    return wider.clipped_to(grid)


def grown(box: Box, by: float, grid: Grid) -> Box:
    """``box``, ``by`` times larger where the image allows."""
    return widened(box, ceil((by - 1) / 2 * max(box.shape)), grid)


def comes_near(patch: Patch, box: Box, grid: Grid, clear: int) -> bool:
    """Whether the mask lies within ``clear`` pixels of a side inside the image."""
    inside = bounding_box(patch.mask())
    if inside is None:
        return False
    mask = inside.moved(*patch.offset)
    return (
        0 < box.top > mask.top - clear
        or 0 < box.left > mask.left - clear
        or grid[0] > box.bottom < mask.bottom + clear
        or grid[1] > box.right < mask.right + clear
    )
