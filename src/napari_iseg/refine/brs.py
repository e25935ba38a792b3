"""BRS: whatever a network answers, its clicks are made right through its own gradient.

Jang and Kim, *Interactive image segmentation via backpropagating refinement scheme*,
CVPR 2019, section 3.2. Features instead of maps: Sofiiuk, Petrov, Barinova and
Konushin, *f-BRS*, CVPR 2020.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_iseg.arrays import ImageLike, Mask, ProbabilityMap
from napari_iseg.clicks import Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.nets.question import Question
from napari_iseg.nets.told import Told
from napari_iseg.nets.window_model import Hypotheses
from napari_iseg.refine.descent import Bounds, Descent, Landscape, Values, descended
from napari_iseg.refine.handles import Handle, Masks, Variant, handle
from napari_iseg.refine.windowed import Windowed, WindowedPredictor, agrees
from napari_iseg.segmenter import Patch
from napari_iseg.windows import Window, resized, view

INERTIA = 1e-3  # lambda of eq. 2, for maps in 0..1
STUCK = 1e-3  # an iteration that gains less is held back by inertia
CLEARLY = 1e-3  # how far beyond 0.5 a click's probability is on its side
WHY = {
    "content": "a later step changed it again",
    "iterations": "the iterations it may take were not enough",
    "time": "the time it may take was not enough",
    "minimum": "no small change of what the network is told does",
}


def never() -> bool:
    """Nobody cancels."""
    return False


@dataclass(frozen=True, slots=True)
class BRS:
    """A segmenter whose network is made to obey the clicks.

    Where an answer contradicts a click, what ``variant`` names is optimised, by L-BFGS,
    until every click of the window is on its side: corrective energy (eq. 4) plus
    ``inertia`` times inertial energy (eq. 5). The next click begins where this one
    ended. The network's weights stay as they are.

    Parameters
    ----------
    segmenter
        With a network that can be differentiated. Its local correction is left out.
    variant
        "maps": BRS. "a", "b", "c": scale and bias of features deep inside, half way and
        near the end, as f-BRS. "last": the weights of the last layer.
    inertia
        lambda of eq. 2. A network that is sure of the opposite, at 0.9999 or so, stands
        on a plateau where inertia outweighs the slope: where a click is still wrong at
        the end, the corrective energy goes on alone.
    bounds
        How long one refinement may take, with inertia and again without. Clicks that
        are not satisfied then are named by the predictor's ``remark``.
    is_cancelled
        Asked before each evaluation; ``predict`` raises ``Cancelled`` if it says so.
    """

    segmenter: Windowed
    variant: Variant = "maps"
    inertia: float = INERTIA
    bounds: Bounds = field(default_factory=Bounds)
    is_cancelled: Callable[[], bool] = never

    def __post_init__(self) -> None:
        if not hasattr(self.segmenter.model, "question"):
            raise ValueError(
                f"{type(self.segmenter.model).__name__} cannot be differentiated: BRS "
                "needs a network in torch"
            )

    @property
    def device(self) -> str:
        """Where the network really runs."""
        return self.segmenter.device

    @property
    def policy(self) -> Any:
        """Of the windows; see ``Windowed``."""
        return self.segmenter.policy

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> WindowedPredictor:
        """See ``Segmenter.prepare``."""
        policy = replace(self.segmenter.policy, obey=False)
        refining = replace(self.segmenter, policy=policy, refiner=Refiner(self))
        return refining.prepare(image, prior, others)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What a refinement found, for the next click to begin with.

    Attributes
    ----------
    window
        Where.
    change
        Of what was optimised, all in all, in the shape of its handle.
    descent
        How it was found.
    """

    window: Window
    change: NDArray[np.float64]
    descent: Descent


@dataclass(frozen=True, slots=True)
class Refiner:
    """See ``windowed.Refine``."""

    settings: BRS

    def refined(
        self, seen: Any, drawn: Any, told: Told, answer: Hypotheses, before: Kept | None
    ) -> tuple[Hypotheses, Kept | None]:
        """The answer after refinement; as it was if it needs none and never did."""
        if before is None and not Places.of(told).wrong(answer.logits[0]).any():
            return answer, None
        model: Any = self.settings.segmenter.model
        question: Question = model.question(seen, drawn)
        turning = handle(question, self.settings.variant)
        start = begun(before, turning, told.window)
        energy = Energy(turning, Places.of(told), start, self.settings)
        descent = energy.descended()
        change = energy.change(descent.values)
        is_own = before is None and not descent.evaluations
        kept = None if is_own else Kept(told.window, change, descent)
        return question.rated(energy.answer(descent.values)), kept

    def remark(self, patch: Patch, clicks: Clicks, kept: Kept | None) -> str | None:
        """Which clicks are not satisfied after all, and why."""
        numbers = [
            str(number)
            for number, click in enumerate(clicks, 1)
            if not agrees(patch, (click,))
        ]
        return could_not_satisfy(numbers, kept)


def could_not_satisfy(numbers: Sequence[str], kept: Kept | None) -> str | None:
    """The sentence for the user; None if there is no such click."""
    if not numbers:
        return None
    *most, last = numbers
    which = f"clicks {', '.join(most)} and {last}" if most else f"click {last}"
    why = WHY[kept.descent.end if kept else "content"]
    return f"could not satisfy {which}: {why}"


def energies(predictor: WindowedPredictor, clicks: Clicks) -> tuple[float, ...]:
    """Of the last refinement that led to the answer: at first, after each iteration.

    Empty if the network, as earlier clicks left it, agreed with every click.
    """
    kept = predictor.state(clicks).kept
    return kept.descent.energies if isinstance(kept, Kept) else ()


class Wishes(Protocol):
    """What clicks want of logits: ``(N, N)``, or ``(K, N, N)`` of classes."""

    def disagreement(self, logits: Tensor) -> Tensor:
        """Eq. 4: squared differences to what the clicks want; differentiable."""
        ...

    def wrong(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which clicks are not clearly on their side, one for each click."""
        ...


class Energy:
    """E of eq. 2 around where the last click ended."""

    def __init__(
        self, turning: Handle, places: Wishes, start: Values, settings: BRS
    ) -> None:
        self.turning, self.places, self.start = turning, places, start
        self.settings = settings
        self.newest = np.zeros_like(start), turning.masks(start)
        self.which = self.chosen()

    def chosen(self) -> int:
        """The mask that is refined: as windowed inference chooses."""
        logits, scores = (one.numpy(force=True) for one in self.newest[1])
        by_clicks = self.settings.segmenter.policy.by_clicks
        worst = [int(self.places.wrong(one).sum()) * by_clicks for one in logits]
        return int(np.lexsort((-scores, np.array(worst)))[0])

    def descended(self) -> Descent:
        """Down the energy; where inertia keeps a click wrong, on without inertia."""
        began, bounds = time.monotonic(), self.settings.bounds
        first = self.attempt(np.zeros_like(self.start), bounds, self.settings.inertia)
        left = bounds.seconds - (time.monotonic() - began)
        if first.end in ("content", "time") or left <= 0 or not self.settings.inertia:
            return first
        second = self.attempt(first.values, replace(bounds, seconds=left), 0.0)
        return Descent(
            second.values,
            first.energies + second.energies,
            first.evaluations + second.evaluations,
            second.end,
        )

    def attempt(self, start: Values, bounds: Bounds, inertia: float) -> Descent:
        def slope(values: Values) -> tuple[float, Values]:
            return self.slope(values, inertia)

        return descended(
            Landscape(slope, self.is_content),
            start,
            bounds,
            self.settings.is_cancelled,
            STUCK if inertia else 0.0,
        )

    def slope(self, values: Values, inertia: float) -> tuple[float, Values]:
        """Energy and its gradient; the inertial one element by element (eq. 6)."""
        change = self.turning.turned(self.start + values).requires_grad_()
        with torch.enable_grad():
            logits, scores = self.turning.answer(change)
            corrective = self.places.disagreement(logits[self.which])
            (slope,) = torch.autograd.grad(corrective, change)
        self.newest = values.copy(), (logits.detach(), scores.detach())
        energy = float(corrective.detach()) + inertia * float(values @ values)
        corrected = slope.double().flatten().numpy(force=True)
        return energy, corrected + 2 * inertia * values

    def is_content(self, values: Values) -> bool:
        logits, _ = self.masks(values)
        return not self.places.wrong(logits[self.which].numpy(force=True)).any()

    def masks(self, values: Values) -> Masks:
        if not np.array_equal(self.newest[0], values):
            self.newest = values.copy(), self.turning.masks(self.start + values)
        return self.newest[1]

    def change(self, values: Values) -> Values:
        """All that was changed since the network's own answer."""
        return (self.start + values).reshape(self.turning.shape)

    def answer(self, values: Values) -> Hypotheses:
        """The mask that was refined, then the others by their scores."""
        logits, scores = (one.float().numpy(force=True) for one in self.masks(values))
        order = sorted(range(len(scores)), key=lambda m: (m != self.which, -scores[m]))
        return Hypotheses(logits[order], scores[order])


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the clicks of a window are, as shares of its pixels.

    What the user sees at a click is mixed from pixels of the window: ``rows`` and
    ``columns`` ``(K, N)`` say how. ``positive`` ``(K,)`` is what the clicks want.
    """

    rows: Values
    columns: Values
    positive: NDArray[np.bool_]

    @classmethod
    def of(cls, told: Told) -> Places:
        window = told.window
        shares = resampling(window.side, window.extent)
        return cls(
            shares[[click.row - window.top for click in told.clicks]],
            shares[[click.column - window.left for click in told.clicks]],
            np.array([click.is_positive for click in told.clicks], bool),
        )

    def said(self, probability: Tensor) -> Tensor:
        """``(N, N)`` to ``(K,)``; differentiable."""
        rows, columns = torch.from_numpy(self.rows), torch.from_numpy(self.columns)
        return ((rows @ probability) * columns).sum(1)

    def disagreement(self, logits: Tensor) -> Tensor:
        """See ``Wishes``; ``logits`` ``(N, N)``."""
        wanted = torch.from_numpy(self.positive).double()
        said = self.said(logits.cpu().double().sigmoid())
        return (wanted - said).square().sum()

    def wrong(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which clicks are not clearly on their side, ``(K,)``."""
        probability = torch.from_numpy(logits).double().sigmoid()
        said = self.said(probability).numpy()
        return np.where(self.positive, said < 0.5 + CLEARLY, said > 0.5 - CLEARLY)


@lru_cache(maxsize=8)
def resampling(side: int, extent: int) -> Values:
    """Which pixels of a window make up each pixel of the image, ``(extent, side)``."""
    how = cv2.INTER_AREA if side > extent else cv2.INTER_LINEAR
    mixed = cv2.resize(np.eye(side), (side, extent), interpolation=how)
    return np.asarray(mixed, np.float64)


def begun(before: Kept | None, turning: Handle, window: Window) -> Values:
    """What the last click ended with; maps are moved along with the window."""
    if before is None:
        return np.zeros(turning.size)
    change = before.change
    if change.ndim == 4 and before.window != window:
        corner = before.window.top, before.window.left
        maps = [one.astype(np.float32) for one in change[0]]
        whole = [resized(one, before.window.extent) for one in maps]
        moved = np.stack([view(one, corner, window) for one in whole])
        change = moved.astype(np.float64)
    return change.ravel()
