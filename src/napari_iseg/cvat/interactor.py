"""CVAT's interaction tool: prompts in, masks out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from napari_iseg.arrays import Grid, bounding_box
from napari_iseg.catalog import load_segmenter
from napari_iseg.clicks import Clicks
from napari_iseg.cvat.caches import RecentlyUsed
from napari_iseg.cvat.cleaning import cleaned, inside_box
from napari_iseg.cvat.images import Pixels, decoded
from napari_iseg.cvat.problems import shown
from napari_iseg.cvat.requests import (
    BoxPrompt,
    EncodedImage,
    InteractorRequest,
    fields_of,
)
from napari_iseg.cvat.responses import Payload, mask_shape, shapes, whole_mask
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.wanted_objects import WantedObject, outside, wanted_objects
from napari_iseg.segmenter import Patch, Predictor, Segmenter

Guess: TypeAlias = tuple[Patch, float | None]  # a mask and CVAT's confidence in it
FEATURES = 16_000_000  # bytes that a predictor keeps beside image and answers, about


class Looked:
    """An image that was decoded, and a predictor that has looked at it.

    A predictor remembers answers; one that has given more than ``bytes_kept`` of them
    is replaced by a fresh one, which answers the same.
    """

    def __init__(self, segmenter: Segmenter, image: Pixels, bytes_kept: int) -> None:
        self._segmenter, self._image = segmenter, image
        self._bytes_kept = bytes_kept
        self._answered = 0
        self._predictor = segmenter.prepare(image)

    @property
    def grid(self) -> Grid:
        return self._predictor.grid

    @property
    def size(self) -> int:
        """About how many bytes this keeps."""
        return int(self._image.nbytes) + self._answered + FEATURES

    @property
    def remark(self) -> str | None:
        """Why the last answer was empty, where the method says it."""
        return getattr(self._predictor, "remark", None)

    def guesses(self, clicks: Clicks, *, several: bool) -> list[tuple[Patch, float]]:
        """What the object at ``clicks`` may be, best first; one unless ``several``."""
        found = _guesses(self._predictor, clicks, several=several)
        self._answered += sum(patch.probability.nbytes for patch, _ in found)
        return found

    def rest(self) -> None:
        """Forget answers if there are too many; between two requests."""
        if self._answered > self._bytes_kept:
            self._answered = 0
            self._predictor = self._segmenter.prepare(self._image)


@dataclass(frozen=True)
class Interactor:
    """Answers requests of CVAT's interaction tool.

    The answer is a function of the request: what is remembered saves time only.
    """

    segmenter: Segmenter
    settings: Settings
    looked: RecentlyUsed[Looked]

    @classmethod
    def of(cls, segmenter: Segmenter, settings: Settings) -> Interactor:
        kept = RecentlyUsed[Looked](settings.cache_bytes, settings.cache_images)
        return cls(segmenter, settings, kept)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Interactor:
        """The method that the function's environment names, loaded and warmed up.

        Raises
        ------
        ValueError
            If a variable, the method or its weights are not what they must be.
        """
        settings = Settings.read(environment)
        segmenter = load_segmenter(
            settings.method, device=settings.device, weights=settings.weights
        )
        warm_up(segmenter)
        return cls.of(segmenter, settings)

    def answer(self, body: Any, remarks: dict[str, Any]) -> Payload:
        """The masks that ``body`` asks for; ``remarks`` gets what the log shows.

        Raises
        ------
        MalformedRequestError, TooLargeRequestError
            If the request is none of CVAT's or its image too large.
        """
        request = InteractorRequest.parsed(body)
        key = request.image.key
        remarks["remembered"] = key in self.looked
        looked = self.looked.get_or_make(
            key, lambda: self._look(request.image), lambda made: made.size
        )
        _remark_request(remarks, request, looked.grid, body)
        objects = wanted_objects(request.prompts, looked.grid)
        found = [guess for one in objects for guess in self.found(looked, one)]
        if not found:
            remarks["empty"] = why_empty(objects, looked)
        looked.rest()
        self.looked.resized(key, looked.size)
        remarks["kept_images"], remarks["kept_bytes"] = (
            len(self.looked),
            self.looked.size,
        )
        return self.written(found, looked.grid, request.threshold)

    def _look(self, image: EncodedImage) -> Looked:
        pixels = decoded(image, self.settings.most_pixels)
        return Looked(self.segmenter, pixels, self.settings.cache_bytes // 4)

    def found(self, looked: Looked, one: WantedObject) -> list[Guess]:
        """The masks of one object, best first: one, or as many as are set."""
        count = max(1, self.settings.hypotheses)
        guesses = looked.guesses(one.clicks, several=count > 1 or one.box is not None)
        if one.box is not None and one.is_boxed:
            box = one.box
            guesses.sort(key=lambda guess: -_fit(guess[0], box))
            guesses = [(inside_box(patch, box), score) for patch, score in guesses]
        return [
            (part, _confidence(rank, score) if count > 1 else None)
            for rank, (patch, score) in enumerate(guesses[:count])
            for part in cleaned(patch, one.clicks, self.settings)
        ]

    def written(
        self, found: list[Guess], grid: Grid, threshold: float | None
    ) -> Payload:
        """The masks as CVAT reads them; none that is less sure than ``threshold``."""
        if self.settings.answer_format == "mask":
            best = [patch for patch, sure in found if sure is None or sure >= 0.5]
            return whole_mask(best, grid)
        least = threshold or 0.0
        kept = [(p, sure) for p, sure in found if sure is None or sure >= least]
        return shapes([mask_shape(patch, confidence=sure) for patch, sure in kept])


def warm_up(segmenter: Segmenter) -> None:
    """The first prediction is slow: not the user's, but one on a made-up disc."""
    rows, columns = np.ogrid[:96, :96]
    disc = ((rows - 48) ** 2 + (columns - 48) ** 2 < 400).astype(np.uint8) * 200
    clicks = Clicks.at(positive=[(48, 48)], negative=[(8, 8)])
    segmenter.prepare(disc).predict_patch(clicks)


def _guesses(
    predictor: Predictor, clicks: Clicks, *, several: bool
) -> list[tuple[Patch, float]]:
    if several:
        return list(predictor.alternative_patches(clicks))
    return [(predictor.predict_patch(clicks), 1.0)]


def _confidence(rank: int, score: float) -> float:
    """CVAT hides what is below 0.5 until its user moves a slider: all but the best."""
    half = min(max(score, 0.0), 1.0) / 2
    return 0.5 + half if rank == 0 else min(half, 0.499)


def _fit(patch: Patch, box: BoxPrompt) -> float:
    """IoU of the box around a mask with the one that was drawn."""
    around = bounding_box(patch.mask())
    if around is None:
        return 0.0
    around = around.moved(*patch.offset)
    high = min(around.bottom, box.bottom) - max(around.top, box.top)
    wide = min(around.right, box.right) - max(around.left, box.left)
    common = max(high, 0.0) * max(wide, 0.0)
    height, width = around.shape
    drawn = (box.right - box.left) * (box.bottom - box.top)
    return common / (height * width + drawn - common)


def _remark_request(
    remarks: dict[str, Any], request: InteractorRequest, grid: Grid, body: Any
) -> None:
    prompts = request.prompts
    remarks["size"] = f"{grid[1]} x {grid[0]}"
    remarks["positive"], remarks["negative"] = (
        len(prompts.positive),
        len(prompts.negative),
    )
    remarks["boxes"] = len(prompts.boxes)
    if left_out := outside(prompts, grid):
        remarks["outside"] = f"{left_out} points outside the image were left out"
    if text := fields_of(body).get("text_prompts"):
        remarks["text"] = f"text prompts are not understood: {shown(text)}"


def why_empty(objects: tuple[WantedObject, ...], looked: Looked) -> str:
    """Why there is no shape, for the log."""
    if not objects:
        return "nothing was clicked positive inside the image"
    return looked.remark or "the method found no object there"
