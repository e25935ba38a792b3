"""How a network that others trained is shown an image: in pixels of one size."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from napari_iseg.arrays import (
    Box,
    Grid,
    ImageLike,
    Mask,
    ProbabilityMap,
    bounding_box,
)
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import Intensities, Percentiles, ScaledImage, plane_wide
from napari_iseg.nets.told import Told
from napari_iseg.nets.window_model import Hypotheses
from napari_iseg.refine.merging import on_box_of, progressive, unclicked, without
from napari_iseg.refine.windowed import (
    CONSTANT,
    LOOKED_AT,
    REMEMBERED,
    State,
    Windowed,
    WindowedPredictor,
    agrees,
    checked,
    empty_patch,
    pasted,
    remember,
    touches_edge,
)
from napari_iseg.segmenter import Patch
from napari_iseg.windows import Window

ROOM = 1.25  # sides of a window, over those of what it is about
EDGE = 8  # a click closer to a window's edge than an eighth of it needs another one


class View(Protocol):
    """Which windows of an image are shown."""

    def window(self, box: Box, grid: Grid) -> Window:
        """One for what lies in ``box``."""
        ...

    def larger(self, window: Window, grid: Grid) -> Window:
        """One for what runs over the edge of ``window``; the same if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InWindows:
    """In its own pixels, a window at a time: for images of a microscope.

    Attributes
    ----------
    side
        Pixels a side of a window.
    largest
        Of one that is needed for a large object.
    """

    side: int = 256
    largest: int = 512

    def window(self, box: Box, grid: Grid) -> Window:
        needed = max(self.side, round(ROOM * max(box.shape)))
        return placed(box, min(needed, self.largest), grid)

    def larger(self, window: Window, grid: Grid) -> Window:
        return placed(window.box, min(2 * window.extent, self.largest), grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllAtOnce:
    """The whole image each time, as the papers have it: for photographs.

    Attributes
    ----------
    longest
        Pixels of its longer side; a larger image is shown smaller.
    """

    longest: int = 480

    def window(self, box: Box, grid: Grid) -> Window:  # noqa: ARG002 - always the same
        extent = max(grid)
        return Window(0, 0, extent, min(extent, self.longest))

    def larger(self, window: Window, grid: Grid) -> Window:  # noqa: ARG002
        return window


@dataclass(frozen=True, slots=True)
class OwnWindows(Windowed):
    """A segmenter from a network that was made for images without clicks.

    Attributes
    ----------
    view
        Which windows of the image it is shown.
    whole
        Whether the answer is all foreground; else only its connected parts with
        positive clicks.
    intensities
        What becomes 0 and 1, for images that come without a ``ScaledImage``.
    """

    view: View = field(default_factory=InWindows)
    whole: bool = False
    intensities: Intensities = field(default_factory=Percentiles)

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> OwnPredictor:
        """See ``Windowed.prepare``; all windows have one contrast."""
        if not isinstance(image, ScaledImage):
            image = ScaledImage(image, self.intensities)
        scaled = plane_wide(image)
        return OwnPredictor(self, checked(scaled, prior, others), prior, others)


class OwnPredictor(WindowedPredictor):
    """See ``Predictor``; made by ``OwnWindows.prepare``.

    The network knows nothing of clicks. As long as they agree with its answer, that is
    what it is; a click that does not is looked at in a window around it.
    """

    def __init__(
        self,
        segmenter: OwnWindows,
        image: ScaledImage,
        prior: ProbabilityMap | Patch | None,
        others: Mask | None,
    ) -> None:
        super().__init__(segmenter, image, prior, others)
        self.view, self.whole = segmenter.view, segmenter.whole
        self.unasked: OrderedDict[Window, Patch] = OrderedDict()

    def automatic(self) -> ProbabilityMap:
        """What the network says without a click, ``(H, W)``."""
        return self.own_answer.on(self.grid)

    @cached_property
    def own_answer(self) -> Patch:
        """On the whole image; each window answers for its middle."""
        canvas = np.zeros(self.grid, np.float32)
        for window, core in tiles(self.view, self.grid):
            (answer,) = self.model.answer(self.looked(window), self.nothing(window))
            patch = self.as_patch(window, answer, 0)
            inside = core.moved(-patch.offset[0], -patch.offset[1]).slices
            canvas[core.slices] = patch.probability[inside]
        return Patch(canvas, (0, 0))

    def is_object_at(self, click: Click) -> bool:
        """What the network says without a click, in a window around the place."""
        window = self.view.window(place_of(click), self.grid)
        if window not in self.unasked:
            (answer,) = self.model.answer(self.looked(window), self.nothing(window))
            remember(self.unasked, window, self.as_patch(window, answer, 0), REMEMBERED)
        return self.unasked[window].at(click.row, click.column) > 0.5

    def nothing(self, window: Window) -> list[Told]:
        return [Told(window, ())]

    def after(self, state: State, clicks: Clicks) -> State:
        """One more click: the last of ``clicks``."""
        if state.is_empty:
            if not self.whole and not clicks.positive:
                return state
            if self.is_flat(self.view.window(place_of(clicks.last), self.grid)):
                return State(empty_patch(), remark=CONSTANT)
            if self.whole and len(clicks) == 1:
                state = State(self.own_answer)
        if agrees(state.patch, (clicks.last,)):
            return self.finished(state, clicks, ())
        return self.corrected(state, clicks)

    def is_flat(self, window: Window) -> bool:
        """Whether there is no contrast, in the largest window, either."""
        rows, columns = inside(window, self.grid)
        if np.ptp(self.reader.show(window)[:rows, :columns]) > 0:
            return False
        larger = self.view.larger(window, self.grid)
        return larger == window or self.is_flat(larger)

    def corrected(self, state: State, clicks: Clicks) -> State:
        """The answer so far with the newest click, which it contradicts."""
        new = self.zoomed(state, clicks)
        patch = self.joined(state.patch, new, clicks)
        return self.finished(replace(new, patch=patch), clicks, ())

    def joined(self, old: Patch, new: State, clicks: Clicks) -> Patch:
        """A window's new answer in the old one, about the newest click if it can be."""
        fresh = self.clicked(new.patch, clicks)
        if not old.mask().any():
            return fresh
        box = old.box.union(fresh.box)
        blank = Patch(np.zeros(box.shape, np.float32), (box.top, box.left))
        canvas = on_box_of(old, blank)
        whole = pasted(fresh, canvas)
        if len(clicks) < self.policy.merge_from and self.start.is_empty:
            return whole
        return progressive(canvas, whole, clicks.last)

    def zoomed(self, state: State, clicks: Clicks) -> State:
        """The answer in a window around the newest click, as large as its object."""
        window = self.window_for(state, clicks)
        while True:
            answer = self.ask(window, state.patch, clicks)
            larger = self.view.larger(window, self.grid)
            if self.whole or larger == window:
                break
            part = self.clicked(self.as_patch(window, answer, 0), clicks)
            if not touches_edge(part, window, self.grid):
                break
            window = larger
        window, answer = self.to_refine(window, state, clicks, answer)
        answer, kept = self.refined(window, state, clicks, answer)
        patch = self.as_patch(window, answer, 0)
        found = ((patch, float(answer.scores[0])),)
        return State(patch, window, found, kept=kept)

    def to_refine(
        self, window: Window, state: State, clicks: Clicks, answer: Hypotheses
    ) -> tuple[Window, Hypotheses]:
        """A window that a refiner works in: no larger than the click needs.

        Each of its steps costs several looks of the network.
        """
        small = self.view.window(place_of(clicks.last), self.grid)
        if self.refiner is None or self.whole or small.extent >= window.extent:
            return window, answer
        if state.kept is None and agrees(self.as_patch(window, answer, 0), clicks):
            return window, answer
        return small, self.ask(small, state.patch, clicks)

    def window_for(self, state: State, clicks: Clicks) -> Window:
        """The last one, while the newest click lies well inside."""
        click = clicks.last
        if state.window is not None and well_inside(click, state.window, self.grid):
            return state.window
        box = place = place_of(click)
        part = None if self.whole else bounding_box(state.patch.mask())
        if part is not None:
            box = part.moved(*state.patch.offset).union(place)
        window = self.view.window(box, self.grid)
        return window if window.holds(click) else self.view.window(place, self.grid)

    def looked(self, window: Window) -> Any:
        """What the network sees of the image there; without what lies beyond it."""
        seen = self.features.get(window)
        if seen is None:
            model: Any = self.model
            pixels = self.reader.show(window)
            seen = [model.look_at(pixels, inside(window, self.grid))]
        remember(self.features, window, seen, LOOKED_AT)
        return seen

    def as_patch(self, window: Window, answer: Hypotheses, which: int) -> Patch:
        with np.errstate(over="ignore"):  # a network may be as sure as it likes
            return super().as_patch(window, answer, which)

    def obedient(self, patch: Patch, clicks: Clicks) -> Patch:
        return self.clicked(patch, clicks)

    def clicked(self, patch: Patch, clicks: Clicks) -> Patch:
        """The parts that are wanted: those with positive clicks, or all."""
        if self.whole or not clicks.positive:
            return patch
        return without(patch, unclicked(patch, clicks))


def place_of(click: Click) -> Box:
    """The clicked pixel."""
    return Box(click.row, click.column, click.row + 1, click.column + 1)


def placed(box: Box, extent: int, grid: Grid) -> Window:
    """A window about the middle of ``box`` that leaves the image only if it must."""
    extent = min(extent, max(grid))
    top, left = (
        min(max(round(middle - extent / 2), 0), max(0, length - extent))
        for middle, length in zip(middle_of(box), grid, strict=True)
    )
    return Window(top, left, extent, extent)


def middle_of(box: Box) -> tuple[float, float]:
    """Row and column; edges between pixels are whole numbers."""
    return (box.top + box.bottom) / 2, (box.left + box.right) / 2


def inside(window: Window, grid: Grid) -> tuple[int, int]:
    """Rows and columns of a window's pixels that lie in the image."""
    height, width = window.box.clipped_to(grid).shape
    return max(1, round(height * window.scale)), max(1, round(width * window.scale))


def well_inside(click: Click, window: Window, grid: Grid) -> bool:
    """Whether the network sees enough around a click, as far as the image goes."""
    margin, box = window.extent // EDGE, window.box
    return (
        window.holds(click)
        and (box.top <= 0 or click.row - box.top >= margin)
        and (box.left <= 0 or click.column - box.left >= margin)
        and (box.bottom >= grid[0] or box.bottom - click.row > margin)
        and (box.right >= grid[1] or box.right - click.column > margin)
    )


def tiles(view: View, grid: Grid) -> list[tuple[Window, Box]]:
    """Windows that cover the image, each with the part that it answers for."""
    first = view.window(Box(0, 0, 1, 1), grid)
    return [
        (replace(first, top=top, left=left), Box(above, before, below, behind))
        for top, above, below in spans(first.extent, grid[0])
        for left, before, behind in spans(first.extent, grid[1])
    ]


def spans(extent: int, length: int) -> list[tuple[int, int, int]]:
    """Windows along one axis: where each starts, and which part is its own."""
    margin, last = extent // EDGE, max(0, length - extent)
    starts = [*range(0, last, extent - 2 * margin), last]
    cores = [0, *(start + margin for start in starts[1:]), length]
    return list(zip(starts, cores[:-1], cores[1:], strict=True))
