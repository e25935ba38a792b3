"""What the inference thread owns: loaded methods and prepared predictors."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeAlias

from napari_iseg.arrays import ImageLike
from napari_iseg.gui.intensity_choice import IntensityChoice
from napari_iseg.intensities import ScaledImage
from napari_iseg.segmenter import Patch, Predictor, Segmenter
from napari_iseg.session import Others, Request


class Load(Hashable, Protocol):
    """``napari_iseg.load_segmenter`` or a stand-in."""

    def __call__(self, name: str, *, device: str) -> Segmenter: ...


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
    """A request with everything needed to answer it; nothing in it changes."""

    request: Request
    sight: Sight
    prior: Patch | None
    others: Others
    method: Method


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

    def __init__(self, load: Load, predictors_kept: int = 4) -> None:
        self._load = load
        self._segmenters: dict[Method, Segmenter] = {}
        self._predictors: OrderedDict[PredictorKey, Predictor] = OrderedDict()
        self._predictors_kept = predictors_kept

    def warm_up(self, method: Method) -> None:
        """Load a method before the first click needs it."""
        self.segmenter(method)

    def answer(self, question: Question) -> Answer:
        """Ask the method; whatever it raises is the caller's to show."""
        started = time.perf_counter()
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
            self._segmenters[method] = self._load(method.name, device=method.device)
        return self._segmenters[method]

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


def _as_mask(others: Others) -> Any:
    return others if others.objects else None


@cache
def engine_for(load: Load) -> Engine:
    """One engine for all windows of the process: a network is loaded once."""
    return Engine(load)
