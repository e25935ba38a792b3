"""CVAT's automatic annotation: a mask and a polygon for each object of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from napari_iseg.arrays import ImageLike, Mask
from napari_iseg.catalog import load_automatic
from napari_iseg.cvat.images import decoded
from napari_iseg.cvat.polygons import outline
from napari_iseg.cvat.requests import fields_of, image_of, threshold_of
from napari_iseg.cvat.responses import Payload
from napari_iseg.cvat.settings import Settings
from napari_iseg.segmenter import AutomaticSegmenter

METHOD = "watershed"  # unless the environment names another


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of objects; ``spec`` in ``function.yaml`` repeats these (tested)."""

    id: int
    name: str


# Every object gets the first one.
LABELS = (Label(1, "cell"),)


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """One object: ``mask`` is ``(h, w)``, true up to each of its four borders."""

    mask: Mask
    offset: tuple[int, int]
    label: Label = LABELS[0]

    @property
    def polygon(self) -> list[float]:
        """Its outer border, see ``outline``."""
        return outline(self.mask, self.offset)

    @property
    def payload(self) -> Payload:
        """One annotation as CVAT's server reads it: no run lengths here but pixels.

        The server takes ``points`` where its user asked for polygons.
        """
        top, left = self.offset
        height, width = self.mask.shape
        corners = [left, top, left + width - 1, top + height - 1]
        return {
            "label": self.label.name,
            "type": "mask",
            "mask": self.mask.astype(int).ravel().tolist() + corners,
            "points": self.polygon,
            "attributes": [],
        }


@dataclass(frozen=True, slots=True)
class Detector:
    """Answers requests of CVAT's automatic annotation."""

    segmenter: AutomaticSegmenter
    settings: Settings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Detector:
        """The automatic method that the function's environment names, warmed up.

        Raises
        ------
        ValueError
            If a variable, the method or its weights are not what they must be.
        """
        settings = Settings.read({"ISEG_METHOD": METHOD, **environment})
        segmenter = load_automatic(
            settings.method, device=settings.device, weights=settings.weights
        )
        segmenter.segment(np.eye(64, dtype=np.uint8))  # the first one is slow
        return cls(segmenter, settings)

    def answer(self, body: Any, remarks: dict[str, Any]) -> list[Payload]:
        """The objects of the image in ``body``; ``remarks`` gets what the log shows.

        Raises
        ------
        MalformedRequestError, TooLargeRequestError
            If the request is none of CVAT's or its image too large.
        """
        fields = fields_of(body)
        if threshold_of(fields):
            remarks["threshold"] = "left out: the method gives no confidence"
        pixels = decoded(image_of(fields), self.settings.most_pixels)
        remarks["size"] = f"{pixels.shape[1]} x {pixels.shape[0]}"
        found = self.objects(pixels)
        remarks["objects"] = len(found)
        return [one.payload for one in found]

    def objects(self, image: ImageLike) -> list[FoundObject]:
        """Every object of ``image`` that has the pixels it needs."""
        labels = self.segmenter.segment(image)
        found = []
        for number, box in enumerate(ndimage.find_objects(labels), start=1):
            if box is None:
                continue
            mask: Mask = labels[box] == number
            if self.settings.fill_holes:
                mask = ndimage.binary_fill_holes(mask)
            if mask.sum() >= self.settings.smallest_area:
                found.append(FoundObject(mask, (box[0].start, box[1].start)))
        return found
