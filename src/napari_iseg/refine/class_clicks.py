"""Clicks that name a class: several objects of several kinds, corrected together.

The interactive FCN of Jang and Kim (CVPR 2019, section 4, table 3): a user says at a
pixel what it shows, and all classes of the image are refined at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_iseg.arrays import Grid, ImageLike, Labels
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.nets.own.outputs import Softmax
from napari_iseg.nets.own.own_model import STEP, OwnModel, Shown, in_window
from napari_iseg.nets.question import Question, owned
from napari_iseg.nets.told import Told
from napari_iseg.refine.brs import (
    BRS,
    CLEARLY,
    Energy,
    Kept,
    Places,
    begun,
    could_not_satisfy,
)
from napari_iseg.refine.handles import of_maps
from napari_iseg.refine.own_windows import (
    OwnPredictor,
    OwnWindows,
    place_of,
    tiles,
    well_inside,
)
from napari_iseg.refine.windowed import REMEMBERED, remember
from napari_iseg.windows import Window, back

ClassMaps: TypeAlias = NDArray[np.float32]  # (K, H, W), 0..1


@dataclass(frozen=True, slots=True)
class ClassClick:
    """A pixel, and the class that it has; or, not ``is_positive``, has not."""

    row: int
    column: int
    label: int
    is_positive: bool = True

    @property
    def click(self) -> Click:
        """Without its class."""
        return Click(self.row, self.column, self.is_positive)


@dataclass(frozen=True, slots=True)
class ByClass:
    """A converted network whose clicks name classes.

    Parameters
    ----------
    segmenter
        Of ``make_interactive``, for a network with classes: its ``output`` says
        whether they exclude each other (``Softmax``) or not (``MultiLabel``); which of
        them is its foreground does not matter here.

    Raises
    ------
    ValueError
        If the segmenter is not of a network that was converted.
    """

    segmenter: BRS

    def __post_init__(self) -> None:
        converted_model(self.segmenter)

    def prepare(self, image: ImageLike | ScaledImage) -> ClassPredictor:
        """Look at one image; arguments and errors as of ``Segmenter.prepare``."""
        predictor = self.segmenter.segmenter.prepare(image)
        assert isinstance(predictor, OwnPredictor)
        return ClassPredictor(self.segmenter, predictor)


def converted_model(segmenter: BRS) -> OwnModel:
    """The network behind a segmenter of ``make_interactive``.

    Raises
    ------
    ValueError
        If the segmenter is of another network.
    """
    windows = segmenter.segmenter
    if isinstance(windows, OwnWindows) and isinstance(windows.model, OwnModel):
        return windows.model
    raise ValueError(
        "clicks name classes of a network that make_interactive converted, not of "
        f"{type(windows).__name__}"
    )


@dataclass(frozen=True, slots=True, eq=False)
class ClassState:
    """What is known after some clicks: of each class ``(K, H, W)``, and BRS' maps."""

    maps: ClassMaps
    window: Window | None = None
    kept: Kept | None = None


class ClassPredictor:
    """A network with classes that looked at one image; made by ``ByClass.prepare``.

    The answer is a function of the clicks, in their order, alone.
    """

    def __init__(self, settings: BRS, predictor: OwnPredictor) -> None:
        self.settings, self.predictor = settings, predictor
        self.states: OrderedDict[tuple[ClassClick, ...], ClassState] = OrderedDict()
        self.remark: str | None = None  # about the newest answer that was asked for
        model = predictor.model
        assert isinstance(model, OwnModel)
        self.net = model.net
        self.exclusive = isinstance(self.net.output, Softmax)

    @property
    def grid(self) -> Grid:
        """Height and width of the image."""
        return self.predictor.grid

    def predict(self, clicks: Sequence[ClassClick] = ()) -> ClassMaps:
        """Probability of each class, ``(K, H, W)``; without a click the network's own.

        Raises
        ------
        ValueError
            If a click lies outside the image or names no class of the network.
        """
        self.check(clicks, len(self.untouched.maps))
        state = self.state(tuple(clicks))
        self.remark = self.remark_on(state, clicks)
        return state.maps

    def labels(self, clicks: Sequence[ClassClick] = ()) -> Labels:
        """The likeliest class of each pixel, ``(H, W)``; errors as of ``predict``."""
        return self.predict(clicks).argmax(0).astype(np.int32)

    def check(self, clicks: Sequence[ClassClick], count: int) -> None:
        """Refuse clicks that cannot be."""
        Clicks(tuple(one.click for one in clicks)).check_inside(self.grid)
        for one in clicks:
            if not 0 <= one.label < count:
                raise ValueError(
                    f"there is no class {one.label}: the network has classes 0 to "
                    f"{count - 1}"
                )

    def state(self, clicks: tuple[ClassClick, ...]) -> ClassState:
        """The fold over the history, begun at the longest prefix that is remembered."""
        known = len(clicks)
        while known and clicks[:known] not in self.states:
            known -= 1
        state = self.states[clicks[:known]] if known else self.untouched
        for length in range(known + 1, len(clicks) + 1):
            state = self.after(state, clicks[:length])
            remember(self.states, clicks[:length], state, REMEMBERED)
        return state

    @cached_property
    def untouched(self) -> ClassState:
        """The network's own answer; each window answers for its middle."""
        maps: ClassMaps | None = None
        for window, core in tiles(self.predictor.view, self.grid):
            question = self.question(window)
            with torch.inference_mode():
                logits, _ = question.ask(question.maps)
            found, (top, left) = self.shown(logits[0], window)
            if maps is None:
                maps = np.zeros((len(found), *self.grid), np.float32)
            rows, columns = core.moved(-top, -left).slices
            maps[(slice(None), *core.slices)] = found[:, rows, columns]
        assert maps is not None
        return ClassState(maps)

    def after(self, state: ClassState, clicks: tuple[ClassClick, ...]) -> ClassState:
        """One more click: the last of ``clicks``."""
        if not self.wrong(state, clicks[-1:]).any():
            return state
        window = self.window_for(state, clicks[-1])
        inside = [one for one in clicks if window.holds(one.click)]
        question = self.question(window)
        turning = of_maps(question)
        wishes = ClassWishes.of(inside, window, exclusive=self.exclusive)
        start = begun(state.kept, turning, window)
        energy = Energy(turning, wishes, start, self.settings)
        descent = energy.descended()
        kept = Kept(window, energy.change(descent.values), descent)
        logits, _ = energy.masks(descent.values)
        return ClassState(self.pasted(state.maps, logits[0], window), window, kept)

    def pasted(self, maps: ClassMaps, logits: Tensor, window: Window) -> ClassMaps:
        """``maps`` with a window's new answer."""
        found, (top, left) = self.shown(logits, window)
        changed = maps.copy()
        height, width = found.shape[1:]
        changed[:, top : top + height, left : left + width] = found
        return changed

    def shown(self, logits: Tensor, window: Window) -> tuple[ClassMaps, Grid]:
        """``(K, N, N)`` as probabilities in the image's pixels, and their offset."""
        chances = logits.sigmoid().float().numpy(force=True)
        parts = [back(one, window, self.grid) for one in chances]
        return np.stack([part for part, _ in parts]), parts[0][1]

    def window_for(self, state: ClassState, newest: ClassClick) -> Window:
        """The last one, while the newest click lies well inside."""
        known, click = state.window, newest.click
        if known is not None and well_inside(click, known, self.grid):
            return known
        return self.predictor.view.window(place_of(click), self.grid)

    def question(self, window: Window) -> Question:
        """One window as refinement asks about it; each class is a mask."""
        (seen,) = self.predictor.looked(window)
        shown: Shown = owned(seen)
        height, width = shown.image.shape[-2:]

        def ask(maps: Tensor) -> tuple[Tensor, Tensor]:
            logits = self.net.by_class(shown.image, maps[..., :height, :width])
            return in_window(logits, shown.side)[None], torch.ones(1)

        maps = shown.image.new_zeros(1, self.net.channels, shown.side, shown.side)
        return Question(self.net, maps, STEP, ask, lambda answer: answer)

    def wrong(
        self, state: ClassState, clicks: Sequence[ClassClick]
    ) -> NDArray[np.bool_]:
        """Which clicks the image contradicts, as the user sees it."""
        said = [state.maps[:, one.row, one.column] for one in clicks]
        have = np.array(
            [
                chances.argmax() == one.label
                if self.exclusive
                else chances[one.label] > 0.5
                for one, chances in zip(clicks, said, strict=True)
            ],
            bool,
        )
        return have != np.array([one.is_positive for one in clicks], bool)

    def remark_on(self, state: ClassState, clicks: Sequence[ClassClick]) -> str | None:
        """Which clicks are not satisfied after all, and why."""
        numbers = np.flatnonzero(self.wrong(state, clicks)) + 1
        return could_not_satisfy([str(number) for number in numbers], state.kept)


@dataclass(frozen=True, slots=True, eq=False)
class ClassWishes:
    """See ``brs.Wishes``: each click is about the probability of its own class."""

    places: Places
    labels: NDArray[np.int64]
    exclusive: bool

    @classmethod
    def of(
        cls, clicks: Sequence[ClassClick], window: Window, *, exclusive: bool
    ) -> ClassWishes:
        told = Told(window, tuple(one.click for one in clicks))
        labels = np.array([one.label for one in clicks], np.int64)
        return cls(Places.of(told), labels, exclusive)

    def disagreement(self, logits: Tensor) -> Tensor:
        said = self.said(logits.cpu().double().sigmoid())
        own = said[torch.arange(len(self.labels)), torch.from_numpy(self.labels)]
        wanted = torch.from_numpy(self.places.positive).double()
        return (wanted - own).square().sum()

    def wrong(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        said = self.said(torch.from_numpy(logits).double().sigmoid()).numpy()
        each = np.arange(len(self.labels))
        own = said[each, self.labels]
        rival = np.full(len(own), 0.5)
        if self.exclusive:
            said[each, self.labels] = -1
            rival = said.max(1)
        return np.where(
            self.places.positive, own < rival + CLEARLY, own > rival - CLEARLY
        )

    def said(self, probability: Tensor) -> Tensor:
        """Of each class at each click, ``(clicks, K)``; differentiable."""
        rows = torch.from_numpy(self.places.rows)
        columns = torch.from_numpy(self.places.columns)
        return torch.einsum("nr,krc,nc->nk", rows, probability, columns)
