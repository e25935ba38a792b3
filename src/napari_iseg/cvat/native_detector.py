"""Automatic annotation for ``cvat-cli``, without nuclio or docker.

``cvat-cli task auto-annotate TASK --function-module napari_iseg.cvat.native_detector``
works with every CVAT; ``function create-native`` and ``run-agent`` where it has agents.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import cvat_sdk.auto_annotation as cvataa
from PIL import Image, ImageOps

from napari_iseg.catalog import load_automatic
from napari_iseg.cvat import rle
from napari_iseg.cvat.detector import LABELS, METHOD, Detector, FoundObject
from napari_iseg.cvat.images import array_of
from napari_iseg.cvat.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NativeDetector:
    """What ``cvat-cli`` calls a detection function."""

    detector: Detector

    @property
    def spec(self) -> Any:
        labels = [cvataa.label_spec(one.name, one.id, type="mask") for one in LABELS]
        return cvataa.DetectionFunctionSpec(labels=labels)

    def detect(self, context: Any, image: Image.Image) -> list[Any]:
        """A mask for each object of ``image``, or a polygon where that is asked for."""
        if context.conf_threshold:
            logger.warning(
                "--conf-threshold %s is left out: the method gives no confidence",
                context.conf_threshold,
            )
        found = self.detector.objects(array_of(ImageOps.exif_transpose(image)))
        if context.conv_mask_to_poly:
            return [cvataa.polygon(one.label.id, one.polygon) for one in found]
        return [_mask(one) for one in found]


def create(
    method: str = METHOD,
    device: str = "auto",
    weights: str = "",
    smallest_area: int = 0,
) -> NativeDetector:
    """Parameters of ``cvat-cli``: ``-p method=str:watershed``, and so on."""
    segmenter = load_automatic(method, device=device, weights=weights or None)
    settings = replace(Settings(), method=method, smallest_area=smallest_area)
    return NativeDetector(Detector(segmenter, settings))


def _mask(one: FoundObject) -> Any:
    points = [float(value) for value in rle.encoded(one.mask, one.offset)]
    return cvataa.mask(one.label.id, points)
