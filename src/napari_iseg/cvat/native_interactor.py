"""Clicks for agents of ``cvat-cli``: the interactor without nuclio or docker.

``cvat-cli function create-native NAME --function-module MODULE`` registers it and
``run-agent`` serves it, MODULE being ``napari_iseg.cvat.native_interactor``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import cvat_sdk.auto_annotation as cvataa
from cvat_sdk.models import AttributeValRequest
from PIL import Image, ImageOps

from napari_iseg.catalog import load_segmenter
from napari_iseg.cvat.images import array_of
from napari_iseg.cvat.interactor import Interactor, Looked, why_empty
from napari_iseg.cvat.requests import BoxPrompt, Point, Prompts
from napari_iseg.cvat.responses import Payload
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.wanted_objects import outside, wanted_objects

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NativeInteractor:
    """What ``cvat-cli`` calls an interaction function."""

    interactor: Interactor

    @property
    def spec(self) -> Any:
        return cvataa.InteractionFunctionSpec(
            min_pos_points=0, min_neg_points=0, min_bounding_boxes=0
        )

    def preprocess_image(self, context: Any, image: Image.Image) -> Looked:  # noqa: ARG002 - the protocol's
        """The agent keeps this for ten minutes; all clicks of an image use it."""
        kept = self.interactor.settings.cache_bytes // 4
        pixels = array_of(ImageOps.exif_transpose(image))
        return Looked(self.interactor.segmenter, pixels, kept)

    def detect(self, context: Any, pp_image: Looked, prompts: Any) -> list[Any]:  # noqa: ARG002 - the protocol's
        """A mask for each object that was clicked or boxed."""
        given = _prompts(prompts)
        if left_out := outside(given, pp_image.grid):
            logger.warning("%d points outside the image were left out", left_out)
        objects = wanted_objects(given, pp_image.grid)
        found = [g for one in objects for g in self.interactor.found(pp_image, one)]
        if not found:
            logger.warning("no shape: %s", why_empty(objects, pp_image))
        pp_image.rest()
        written = self.interactor.written(found, pp_image.grid, None)
        return [_shape(one) for one in written["shapes"]]


def create(
    method: str = "cells", device: str = "auto", weights: str = "", hypotheses: int = 1
) -> NativeInteractor:
    """Parameters of ``cvat-cli``: ``-p method=str:cells``, and so on."""
    segmenter = load_segmenter(method, device=device, weights=weights or None)
    settings = replace(Settings(), method=method, hypotheses=hypotheses)
    return NativeInteractor(Interactor.of(segmenter, settings))


def _prompts(prompts: Any) -> Prompts:
    box = prompts.bounding_box
    corners = () if box is None else (BoxPrompt.between(*(Point(*one) for one in box)),)
    return Prompts(
        tuple(Point(*one) for one in prompts.pos_points),
        tuple(Point(*one) for one in prompts.neg_points),
        corners,
    )


def _shape(payload: Payload) -> Any:
    attributes = [AttributeValRequest(**one) for one in payload["attributes"]]
    return cvataa.InteractionResultShape(
        type="mask", points=payload["points"], attributes=attributes
    )
