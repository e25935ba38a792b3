"""Windowed inference: nothing is ever computed on the whole image.

The first click is looked at in windows of several extents; the network's own score
decides which is right. Every later click is looked at in a window around the mask so
far. A predictor is a fold over the click history: the answer to ``n`` clicks starts
from the answer to the first ``n - 1``, so it is a function of the history alone, and
what is kept in between only saves time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from napari_iseg.arrays import Box, Grid, ImageLike, Mask, ProbabilityMap, bounding_box
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.nets.told import Told, guides
from napari_iseg.nets.window_model import Hypotheses, WindowModel
from napari_iseg.refine.level import levelled
from napari_iseg.refine.merging import clicked_parts, progressive
from napari_iseg.refine.obedience import obeying
from napari_iseg.segmenter import Patch
from napari_iseg.windows import Reader, Window, back, view

REMEMBERED = 64  # answers kept per predictor
LOOKED_AT = 4  # windows whose image features are kept
CONSTANT = "the image is constant around the click: there is nothing to segment"
SAME = 0.85  # IoU from which on two masks are one hypothesis
ALTERNATIVES = 4  # answers that are offered at most
FEWEST = 6  # window pixels: a smaller first answer is not an object


Candidate: TypeAlias = tuple[Window, Hypotheses, int]
Tell: TypeAlias = Callable[[Sequence[Told]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which windows are looked at. Extents in source pixels, sides in the network's."""

    overviews: tuple[int, ...] = (64, 144, 320, 720)
    overview_side: int = 112
    candidates: int = 2  # first answers; the best is looked at again, zoomed
    side: int = 128
    disc_radius: float = 3.0  # network pixels
    zoom: float = 1.5  # window over the mask's longer side
    smallest: int = 32
    loosest: float = 2.6  # a window is kept while it is not wider than this
    tightest: float = 1.35
    enlarge: float = 1.5  # when the mask touches the window's edge
    enlargements: int = 2
    merge_from: int = 5  # clicks from which on far parts are left alone
    local_from: int = 3  # clicks from which on a second, finer look is taken ...
    local_above: int = 160  # ... if the window is wider than this
    local_share: float = 0.5  # extent of the finer window
    level: float = 8.0  # logits: how close to the outline a click speaks for all of it
    level_share: float = 0.8  # of what it says that the second click is believed ...
    level_fade: float = 0.7  # ... and how much less each one after it
    reconsider: int = 4  # clicks up to which the first look's other guesses count
    retry: bool = True  # without the old answer, where a click is contradicted
    obey: bool = True  # every clicked pixel gets its label, by a correction of ours
    by_clicks: bool = True  # masks that contradict clicks come last; False: by score
    every: bool = False  # alternatives are all masks of the network, in its order


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What the predictor knows after some clicks."""

    patch: Patch
    window: Window | None = None
    alternatives: tuple[tuple[Patch, float], ...] = ()
    remark: str | None = None  # a sentence for the user: why there is no mask
    guesses: tuple[tuple[Candidate, float], ...] = ()  # of the first look, best first
    kept: Any = None  # what a refinement found: the next one begins with it

    @property
    def is_empty(self) -> bool:
        return not self.patch.mask().any()


class Refine(Protocol):
    """Makes an answer agree with the clicks."""

    def refined(
        self, seen: Any, drawn: Any, told: Told, answer: Hypotheses, before: Any
    ) -> tuple[Hypotheses, Any]:
        """A better answer, and what the next click begins with.

        ``seen`` and ``drawn`` are what the network answered for, ``before`` is what an
        earlier refinement of the same object ended with; None if there was none.
        """
        ...

    def remark(self, patch: Patch, clicks: Clicks, kept: Any) -> str | None:
        """A sentence for the user if the answer disagrees with a click after all."""
        ...


@dataclass(frozen=True, slots=True)
class Windowed:
    """A segmenter made from a network that answers for windows.

    ``tell`` draws what the network is told; None: the guides of ``cells``. ``refiner``
    has the last word about the answer in a window.
    """

    model: WindowModel
    policy: Policy = field(default_factory=Policy)
    tell: Tell | None = None
    refiner: Refine | None = None

    @property
    def device(self) -> str:
        """Where the network really runs: "cpu", "cuda" or "mps"."""
        return str(self.model.device)

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> WindowedPredictor:
        """See ``Segmenter.prepare``; a prior may come as a patch, too."""
        return WindowedPredictor(self, checked(image, prior, others), prior, others)


def checked(
    image: ImageLike | ScaledImage,
    prior: ProbabilityMap | Patch | None,
    others: Mask | None,
) -> ScaledImage:
    """The image as it is read; ValueError if what comes with it does not fit."""
    scaled = image if isinstance(image, ScaledImage) else ScaledImage(image)
    if not isinstance(prior, Patch):
        check_shape("prior", prior, scaled.grid)
    check_shape("others", others, scaled.grid)
    return scaled


def check_shape(name: str, array: ImageLike | None, grid: Grid) -> None:
    """Refuse an array that is not of the image's shape, by its name."""
    if array is not None and tuple(array.shape) != grid:
        raise ValueError(
            f"{name} must have the image's shape {grid}, got {tuple(array.shape)}"
        )


class WindowedPredictor:
    """See ``Predictor``; made by ``Windowed.prepare``."""

    def __init__(
        self,
        segmenter: Windowed,
        image: ScaledImage,
        prior: ProbabilityMap | Patch | None,
        others: Mask | None,
    ) -> None:
        self.model, self.policy = segmenter.model, segmenter.policy
        self.tell = segmenter.tell or partial(guides, radius=self.policy.disc_radius)
        self.refiner = segmenter.refiner
        self.image, self.others = image, others
        self.start = start_from(prior)
        self.reader = Reader(image)
        self.remark: str | None = None  # about the newest answer that was asked for
        self.states: OrderedDict[Clicks, State] = OrderedDict()
        self.features: OrderedDict[Window, Any] = OrderedDict()

    @property
    def grid(self) -> Grid:
        return self.image.grid

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def predict_patch(self, clicks: Clicks) -> Patch:
        return self.state(clicks).patch

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        found = self.alternative_patches(clicks)
        return [(patch.on(self.grid), score) for patch, score in found]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        state = self.state(clicks)
        return list(state.alternatives) or [(state.patch, 0.0)]

    def state(self, clicks: Clicks) -> State:
        """The fold over the history, begun at the longest prefix that is remembered."""
        clicks.check_inside(self.grid)
        known = len(clicks)
        while known and clicks.prefix(known) not in self.states:
            known -= 1
        state = self.states[clicks.prefix(known)] if known else self.start
        for length in range(known + 1, len(clicks) + 1):
            state = self.after(state, clicks.prefix(length))
            remember(self.states, clicks.prefix(length), state, REMEMBERED)
        self.remark = state.remark
        return state

    def after(self, state: State, clicks: Clicks) -> State:
        """One more click: the last of ``clicks``."""
        if not state.is_empty:
            return self.corrected(state, clicks)
        if not clicks.positive:
            return state
        return self.first_look(clicks)

    def first_look(self, clicks: Clicks) -> State:
        """The object at a positive click, at whatever scale it is found."""
        at = clicks.positive[-1]
        windows = [
            Window.around(at.row, at.column, extent, self.policy.overview_side)
            for extent in useful(self.policy.overviews, self.grid)
        ]
        self.reader.hold(windows[-1].box)
        images = np.stack([self.reader.show(window) for window in windows])
        if not np.ptp(images[-1]) > 0:
            return State(empty_patch(), remark=CONSTANT)
        told = self.tell([self.told(window, None, clicks) for window in windows])
        answers = self.model.glance(self.model.look(images), told)
        guesses = tuple(ranking(windows, answers))
        (rough, score), *others = self.distinct(guesses, clicks)
        closer = self.zoomed(State(rough), clicks)
        best = closer
        if not self.policy.every:
            best = replace(closer, alternatives=((closer.patch, score),))
        return self.finished(replace(best, guesses=guesses), clicks, others)

    def distinct(
        self, ranked: Sequence[tuple[Candidate, float]], clicks: Clicks
    ) -> list[tuple[Patch, float]]:
        """The best few candidates whose masks differ, as patches."""
        kept: list[tuple[Patch, float]] = []
        for candidate, score in ranked:
            patch = clicked_parts(self.as_patch(*candidate), clicks)
            if all(iou(patch, other) < SAME for other, _ in kept):
                kept.append((patch, score))
            if len(kept) == self.policy.candidates:
                break
        return kept

    def corrected(self, state: State, clicks: Clicks) -> State:
        """The mask so far with the newest click taken into account."""
        click = clicks.last
        new = self.zoomed(state, clicks)
        other = self.reconsidered(state, clicks)
        if other is not None and merit(other, clicks) > merit(new, clicks):
            return self.finished(other, clicks, new.alternatives[:1])
        if len(clicks) >= self.policy.merge_from:
            patch = progressive(state.patch, new.patch, click)
        else:
            share = level_share(self.policy, len(clicks))
            patch = levelled(new.patch, state.patch, click, self.policy.level, share)
            if self.refiner is not None:
                patch = self.if_obedient(patch, new, clicks)
        if len(clicks) >= self.policy.local_from:
            patch = self.looked_closer(patch, clicks)
        new = replace(new, patch=patch, guesses=state.guesses)
        return self.finished(new, clicks, new.alternatives[1:])

    def if_obedient(self, levelled: Patch, new: State, clicks: Clicks) -> Patch:
        """The level that a click speaks for, unless it was refined for or costs one."""
        return levelled if new.kept is None and agrees(levelled, clicks) else new.patch

    def reconsidered(self, state: State, clicks: Clicks) -> State | None:
        """What follows from the best guess of the first look that all clicks allow.

        The first click may have been read at the wrong scale. When the second click
        says so, the guess that it speaks for is a better start than a mask to correct.
        """
        agreed = agrees(state.patch, (clicks.last,))
        if agreed or len(clicks) > self.policy.reconsider:
            return None
        for (window, answer, which), _ in state.guesses:
            if contradictions(answer, window, clicks)[which]:
                continue
            patch = clicked_parts(self.as_patch(window, answer, which), clicks)
            if agrees(patch, clicks):
                found = self.zoomed(State(patch), clicks)
                return replace(found, guesses=state.guesses)
        return None

    def zoomed(self, state: State, clicks: Clicks) -> State:
        """The answer in a window around the mask, enlarged while the mask leaves it."""
        window = self.window_for(state, clicks)
        for _ in range(self.policy.enlargements + 1):
            asked = window
            answer = self.ask(window, state.patch, clicks)
            patch = self.as_patch(window, answer, 0)
            larger = enlarged(window, self.policy.enlarge, self.grid)
            if not touches_edge(patch, window, self.grid) or larger == window:
                break
            window = larger
        answer, kept = self.refined(asked, state, clicks, answer)
        others = [
            (self.as_patch(asked, answer, m), float(score))
            for m, score in enumerate(answer.scores)
        ]
        return State(others[0][0], window, tuple(others), kept=kept)

    def refined(
        self, window: Window, state: State, clicks: Clicks, answer: Hypotheses
    ) -> tuple[Hypotheses, Any]:
        """The answer that a refiner makes of ``answer``, and what it kept."""
        if self.refiner is None:
            return answer, None
        told = self.told(window, state.patch, clicks)
        seen, drawn = self.looked(window), self.tell([told])
        return self.refiner.refined(seen, drawn, told, answer, state.kept)

    def looked_closer(self, patch: Patch, clicks: Clicks) -> Patch:
        """A second look at the surroundings of the newest click, in finer pixels."""
        box = bounding_box(patch.mask())
        if box is None:
            return patch
        policy, click = self.policy, clicks.last
        extent = policy.local_share * policy.zoom * max(box.shape)
        if extent < policy.local_above:
            return patch
        window = Window.around(click.row, click.column, extent, policy.side)
        answer = self.ask(window, patch, clicks)
        answer, _ = self.refined(window, State(patch), clicks, answer)
        fine = self.as_patch(window, answer, 0)
        return progressive(patch, pasted(fine, patch), click)

    def finished(
        self,
        state: State,
        clicks: Clicks,
        others: Iterable[tuple[Patch, float]],
    ) -> State:
        """Clicked parts only, every click obeyed, alternatives that differ."""
        if self.policy.every:
            others = state.alternatives[1:]
        patch = self.obedient(state.patch, clicks)
        score = state.alternatives[0][1] if state.alternatives else 0.0
        kept = [(patch, score)]
        for other, its_score in others:
            candidate = self.obedient(other, clicks)
            if self.policy.every or (
                len(kept) < ALTERNATIVES
                and all(iou(candidate, k) < SAME for k, _ in kept)
            ):
                kept.append((candidate, min(its_score, score)))
        remark = None
        if self.refiner is not None:
            remark = self.refiner.remark(patch, clicks, state.kept)
        return replace(state, patch=patch, alternatives=tuple(kept), remark=remark)

    def obedient(self, patch: Patch, clicks: Clicks) -> Patch:
        patch = clicked_parts(patch, clicks)
        return obeying(patch, clicks, self.grid) if self.policy.obey else patch

    def window_for(self, state: State, clicks: Clicks) -> Window:
        """Around mask and newest click; the last window again where it still fits."""
        policy, click = self.policy, clicks.last
        box = bounding_box(state.patch.mask())
        if box is not None:
            box = box.moved(*state.patch.offset)
        # Where clicks are obeyed the mask holds all positive ones.
        for one in (click,) if policy.obey else (*clicks.positive, click):
            if one.is_positive or box is None:
                at = Box(one.row, one.column, one.row + 1, one.column + 1)
                box = at if box is None else box.union(at)
        assert box is not None  # there is a click
        size = max(box.shape)
        if state.window is not None and still_fits(state.window, box, policy):
            return state.window
        middle = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
        extent = max(policy.smallest, size * policy.zoom)
        return Window.around(*middle, extent, policy.side)

    def ask(self, window: Window, patch: Patch, clicks: Clicks) -> Hypotheses:
        """The network's hypotheses, best first: fewest contradicted clicks, then score.

        Where even the best contradicts a click, the old answer may be what misleads:
        the network is asked once more without it.
        """
        seen = self.looked(window)
        told = self.told(window, patch, clicks)
        (answer,) = self.model.answer(seen, self.tell([told]))
        if self.policy.retry and contradictions(answer, window, clicks).min() > 0:
            without = replace(told, previous=None)
            (fresh,) = self.model.answer(seen, self.tell([without]))
            answer = together(answer, fresh)
        contradicted = contradictions(answer, window, clicks)
        return best_first(answer, contradicted * self.policy.by_clicks)

    def looked(self, window: Window) -> Any:
        """What the network saw there; looked at once."""
        seen = self.features.get(window)
        if seen is None:
            seen = self.model.look(self.reader.show(window)[None])
        remember(self.features, window, seen, LOOKED_AT)
        return seen

    def told(self, window: Window, patch: Patch | None, clicks: Clicks) -> Told:
        """Clicks, previous answer and other objects as seen in a window."""
        inside = tuple(click for click in clicks if window.holds(click))
        previous = others = None
        if patch is not None:
            previous = view(patch.probability, patch.offset, window)
        if self.others is not None:
            box = window.box.clipped_to(self.grid)
            taken = np.asarray(self.others[box.slices]).astype(np.float32)
            others = view(taken, (box.top, box.left), window) > 0.5
        return Told(window, inside, previous, others)

    def as_patch(self, window: Window, answer: Hypotheses, which: int) -> Patch:
        probability = expit(answer.logits[which])
        return Patch(*back(probability, window, self.grid))


def start_from(prior: ProbabilityMap | Patch | None) -> State:
    """The state before the first click."""
    if prior is None:
        return State(empty_patch())
    if isinstance(prior, Patch):
        return State(prior)
    whole = np.nan_to_num(np.asarray(prior, np.float32)).clip(0, 1)
    box = bounding_box(whole > 0)
    if box is None:
        return State(empty_patch())
    return State(Patch(whole[box.slices].copy(), (box.top, box.left)))


def empty_patch() -> Patch:
    """One pixel that belongs to no object."""
    return Patch(np.zeros((1, 1), np.float32), (0, 0))


def remember(cache: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keep ``value``, and of all values only the ``most`` recent."""
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > most:
        cache.popitem(last=False)


def useful(extents: Sequence[int], grid: Grid) -> list[int]:
    """The extents that are not larger than twice the image; at least the finest."""
    return [e for e in extents if e <= 2 * max(grid)] or [extents[0]]


def ranking(
    windows: Sequence[Window], answers: Sequence[Hypotheses]
) -> list[tuple[Candidate, float]]:
    """Every hypothesis in every window by its score, best first.

    An answer that runs over its window's edge, or is a few pixels small, cannot be
    the whole object at the right scale: its score is cut down.
    """
    found = []
    for window, answer in zip(windows, answers, strict=True):
        for m, score in enumerate(answer.scores):
            mask = answer.logits[m] > 0
            value = float(score) * (1 - 0.5 * edge_share(mask))
            found.append(((window, answer, m), value * bool(mask.sum() >= FEWEST)))
    return sorted(found, key=lambda item: -item[1])


def level_share(policy: Policy, count: int) -> float:
    """How much the ``count``-th click is believed about the whole outline."""
    return policy.level_share / (1 + policy.level_fade * max(0, count - 2))


def merit(state: State, clicks: Clicks) -> tuple[bool, float]:
    """What decides between two answers: all clicks obeyed, then the score."""
    return agrees(state.patch, clicks), state.alternatives[0][1]


def agrees(patch: Patch, clicks: Iterable[Click]) -> bool:
    """Whether every clicked pixel carries its label."""
    return all((patch.at(c.row, c.column) > 0.5) == c.is_positive for c in clicks)


def contradictions(
    answer: Hypotheses, window: Window, clicks: Clicks
) -> NDArray[np.int64]:
    """How many of the clicks in the window each hypothesis contradicts, ``(M,)``."""
    found = np.zeros(len(answer.scores), np.int64)
    for click in clicks:
        if window.holds(click):
            row, column = (
                min(max(round(v), 0), window.side - 1) for v in window.point(click)
            )
            found += (answer.logits[:, row, column] > 0) != click.is_positive
    return found


def together(one: Hypotheses, other: Hypotheses) -> Hypotheses:
    """The hypotheses of both."""
    return Hypotheses(
        np.concatenate([one.logits, other.logits]),
        np.concatenate([one.scores, other.scores]),
    )


def best_first(answer: Hypotheses, contradicted: NDArray[np.int64]) -> Hypotheses:
    """Sorted by contradicted clicks, then by score."""
    order = np.lexsort((-answer.scores, contradicted))
    return Hypotheses(answer.logits[order], answer.scores[order])


def edge_share(mask: Mask) -> float:
    """How much of the window's edge lies inside the mask, 0..1."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return float(edge.mean())


def touches_edge(patch: Patch, window: Window | None, grid: Grid) -> bool:
    """Whether the mask runs over an edge of the window inside the image."""
    if window is None:
        return False
    mask, box = patch.mask(), window.box
    return bool(
        (box.top > 0 and mask[0].any())
        or (box.left > 0 and mask[:, 0].any())
        or (box.bottom < grid[0] and mask[-1].any())
        or (box.right < grid[1] and mask[:, -1].any())
    )


def enlarged(window: Window, by: float, grid: Grid) -> Window:
    """The same middle, ``by`` times wider; the same window if it holds the image."""
    if window.box.clipped_to(grid) == Box(0, 0, *grid):
        return window
    half = (window.extent - 1) / 2
    extent = window.extent * by
    return Window.around(window.top + half, window.left + half, extent, window.side)


def still_fits(window: Window, box: Box, policy: Policy) -> bool:
    """Whether ``window`` holds ``box`` with neither too much nor too little around."""
    inside = box.intersection(window.box) == box
    ratio = window.extent / max(1, *box.shape)
    close = ratio <= policy.loosest or window.extent <= policy.smallest
    same_side = window.side == policy.side
    return inside and close and same_side and ratio >= policy.tightest


def pasted(fine: Patch, whole: Patch) -> Patch:
    """``whole`` with ``fine`` laid over it; what ``fine`` says beyond it is dropped."""
    box = whole.box.intersection(fine.box)
    probability = whole.probability.copy()
    if not box.is_empty:
        into = box.moved(-whole.offset[0], -whole.offset[1]).slices
        out_of = box.moved(-fine.offset[0], -fine.offset[1]).slices
        probability[into] = fine.probability[out_of]
    return Patch(probability, whole.offset)


def iou(a: Patch, b: Patch) -> float:
    """Intersection over union of two patches' masks; 1 if both are empty."""
    box = a.box.union(b.box)
    masks = []
    for patch in (a, b):
        mask = np.zeros(box.shape, bool)
        mask[patch.box.moved(-box.top, -box.left).slices] = patch.mask()
        masks.append(mask)
    either = np.count_nonzero(masks[0] | masks[1])
    return np.count_nonzero(masks[0] & masks[1]) / either if either else 1.0
