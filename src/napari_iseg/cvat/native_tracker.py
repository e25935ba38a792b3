"""Tracking of masks and rectangles for agents of ``cvat-cli``.

``cvat-cli function create-native NAME --function-module MODULE`` registers it and
``run-agent`` serves it, MODULE being ``napari_iseg.cvat.native_tracker``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import cvat_sdk.auto_annotation as cvataa
from PIL import Image, ImageOps

from napari_iseg.arrays import image_grid
from napari_iseg.catalog import load_segmenter
from napari_iseg.cvat.images import Pixels, array_of
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.tracked import MASK, RECTANGLE, Tracked
from napari_iseg.cvat.tracker import DOUBTS, Outcome, Step, Tracker

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NativeTracker:
    """What ``cvat-cli`` calls a tracking function; states are those of ``Tracked``."""

    tracker: Tracker

    @property
    def spec(self) -> Any:
        return cvataa.TrackingFunctionSpec(supported_shape_types={MASK, RECTANGLE})

    def preprocess_image(self, context: Any, image: Image.Image) -> Pixels:  # noqa: ARG002 - the protocol's
        """Agents up to 2.80 call this even where there is nothing to prepare."""
        return array_of(ImageOps.exif_transpose(image))

    def init_tracking_state(
        self,
        context: Any,  # noqa: ARG002 - the protocol's
        pp_image: Pixels,
        shape: Any,
    ) -> dict[str, Any]:
        """The state of a shape that a user drew."""
        points = [float(point) for point in shape.points]
        return _logged(self.tracker.begun(pp_image, str(shape.type), points)).state

    def track(self, context: Any, pp_image: Pixels, state: dict[str, Any]) -> Any:  # noqa: ARG002 - the protocol's
        """The shape in this frame, None where it is lost; ``state`` goes along."""
        before = Tracked.read(state, image_grid(pp_image))
        step = self.tracker.followed(pp_image, before)
        found = _logged(step)
        state.update(found.state)
        if step.outcome is Outcome.LOST:
            return None
        return cvataa.TrackableShape(type=found.kind, points=found.points)


def create(
    method: str = "cells", device: str = "auto", weights: str = ""
) -> NativeTracker:
    """Parameters of ``cvat-cli``: ``-p method=str:cells``, and so on."""
    segmenter = load_segmenter(method, device=device, weights=weights or None)
    return NativeTracker(Tracker(segmenter, Settings()))


def _logged(step: Step) -> Tracked:
    if step.outcome in DOUBTS:
        logger.warning("%s", step.sentence)
    return step.tracked
