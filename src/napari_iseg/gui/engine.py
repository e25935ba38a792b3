"""What the inference thread owns: loaded methods and prepared predictors."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from threading import Event
from typing import Any, Protocol, TypeAlias

from napari_iseg.arrays import ImageLike
from napari_iseg.catalog import load_automatic, with_polish
from napari_iseg.gui.intensity_choice import IntensityChoice
from napari_iseg.gui.own_models import OwnModel
from napari_iseg.intensities import ScaledImage
from napari_iseg.polished import is_polished, unpolished
from napari_iseg.segmenter import AutomaticSegmenter, Patch, Predictor, Segmenter
from napari_iseg.session import Others, Request


class Load(Hashable, Protocol):
    """``napari_iseg.load_segmenter`` or a stand-in."""

    def __call__(self, name: str, *, device: str) -> Segmenter: ...


class LoadAutomatic(Hashable, Protocol):
    """``napari_iseg.catalog.load_automatic`` or a stand-in."""

    def __call__(self, name: str, *, device: str) -> AutomaticSegmenter: ...


@dataclass(frozen=True, slots=True)
class Method:
    """Which method runs, and where."""

    name: str = "cells"
    device: str = "auto"


class Sight:
    """What a method sees of one plane; made on the GUI thread, read off it."""

    def __init__(
        self, plane: ImageLike, volume: ImageLike, intensities: IntensityChoice
    ) -> None:
        self._plane = plane
        self._volume = volume
        self._intensities = intensities
        self._scaled: ScaledImage | None = None

    def image(self) -> ScaledImage:
        """The scaled image; limits are found at the first call and kept."""
        if self._scaled is None:
            self._scaled = ScaledImage(
                self._plane, self._intensities.resolved(self._plane, self._volume)
            )
        return self._scaled


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A request with everything needed to answer it; nothing in it changes.

    But that ``given_up`` is set, from any thread, when nobody waits for it any more: a
    method that asks, as BRS does, stops then.
    """

    request: Request
    sight: Sight
    prior: Patch | None
    others: Others
    method: Method
    given_up: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Patches with scores, best first, and what there is to tell about them."""

    patches: list[tuple[Patch, float]]
    remark: str | None
    milliseconds: float
    device: str


PredictorKey: TypeAlias = tuple[Sight, Method, int]


class Engine:
    """Answers questions; belongs to the inference thread.

    What it remembers only saves time.
    """

    def __init__(
        self,
        load: Load,
        load_automatic: LoadAutomatic = load_automatic,
        predictors_kept: int = 4,
    ) -> None:
        self._load = load
        self._load_automatic = load_automatic
        self._own: dict[str, OwnModel] = {}
        self._finders: dict[Method, AutomaticSegmenter] = {}
        self._given_up = Event()  # that of the question being answered
        self._segmenters: dict[Method, Segmenter] = {}
        self._predictors: OrderedDict[PredictorKey, Predictor] = OrderedDict()
        self._predictors_kept = predictors_kept

    def warm_up(self, method: Method) -> None:
        """Load a method before the first click needs it."""
        self.segmenter(method)

    def answer(self, question: Question) -> Answer:
        """Ask the method; whatever it raises is the caller's to show."""
        started = time.perf_counter()
        self._given_up = question.given_up
        predictor = self._predictor(question)
        patches = predictor.alternative_patches(question.request.clicks)
        return Answer(
            patches,
            getattr(predictor, "remark", None),
            (time.perf_counter() - started) * 1000,
            self._device(question.method),
        )

    def segmenter(self, method: Method) -> Segmenter:
        """The method, loaded when it is first asked for."""
        if method not in self._segmenters:
            loaded = stoppable(self._loaded(method), self._is_given_up)
            self._segmenters[method] = loaded
        return self._segmenters[method]

    def take_own(self, own: OwnModel, device: str) -> None:
        """Make a model file a method of its name; one of this name before is gone.

        Raises
        ------
        ValueError
            If it cannot be loaded; then nothing has changed.
        """
        loaded = stoppable(own.load(device), self._is_given_up)
        for method in [one for one in self._segmenters if is_of(own, one)]:
            del self._segmenters[method]
        for key in [one for one in self._predictors if is_of(own, one[1])]:
            del self._predictors[key]
        self._segmenters[Method(own.name, device)] = loaded
        self._own[own.name] = own

    def know_own(self, models: Iterable[OwnModel]) -> None:
        """Make model files methods that are loaded when they are first asked for."""
        self._own = {one.name: one for one in models} | self._own

    @property
    def own_methods(self) -> dict[str, OwnModel]:
        """Model files that are known, by the names of their methods."""
        return dict(self._own)

    def finder(self, method: Method) -> AutomaticSegmenter:
        """The method that needs no click, loaded when it is first asked for."""
        if method not in self._finders:
            loaded = self._load_automatic(method.name, device=method.device)
            self._finders[method] = loaded
        return self._finders[method]

    def _loaded(self, method: Method) -> Segmenter:
        own = self._own.get(unpolished(method.name))
        if own is None:
            return self._load(method.name, device=method.device)
        loaded = own.load(method.device)
        return with_polish(loaded) if is_polished(method.name) else loaded

    def _is_given_up(self) -> bool:
        return self._given_up.is_set()

    def _predictor(self, question: Question) -> Predictor:
        key = (question.sight, question.method, question.request.context)
        if key not in self._predictors:
            self._predictors[key] = self._prepared(question)
        self._predictors.move_to_end(key)
        while len(self._predictors) > self._predictors_kept:
            self._predictors.popitem(last=False)
        return self._predictors[key]

    def _prepared(self, question: Question) -> Predictor:
        image = question.sight.image()
        return self.segmenter(question.method).prepare(
            image,  # type: ignore[arg-type]  # wider than an array, as the seam allows
            prior=question.prior,
            # drawn where a method reads it, never as a whole
            others=_as_mask(question.others),
        )

    def _device(self, method: Method) -> str:
        """Where the method really runs, if it tells."""
        return str(getattr(self.segmenter(method), "device", method.device))


def is_of(own: OwnModel, method: Method) -> bool:
    """Whether ``method`` is the one of this file, polished or not."""
    return unpolished(method.name) == own.name


def stoppable(segmenter: Any, is_given_up: Callable[[], bool]) -> Any:
    """``segmenter``, with what in it can be cancelled asking ``is_given_up``."""
    if hasattr(segmenter, "is_cancelled"):
        return replace(segmenter, is_cancelled=is_given_up)
    if hasattr(segmenter, "segmenter"):  # another one around it
        inner = stoppable(segmenter.segmenter, is_given_up)
        return replace(segmenter, segmenter=inner)
    return segmenter


def _as_mask(others: Others) -> Any:
    return others if others.objects else None


@cache
def engine_for(load: Load, load_automatic: LoadAutomatic = load_automatic) -> Engine:
    """One engine for all windows of the process: a network is loaded once."""
    return Engine(load, load_automatic)
