"""Answers as CVAT reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from napari_iseg.arrays import Grid
from napari_iseg.cvat import rle
from napari_iseg.segmenter import Patch

Payload: TypeAlias = dict[str, Any]
CONFIDENCE_ID = 0  # the attribute that CVAT's interaction tool reads a confidence from


def mask_shape(
    patch: Patch, threshold: float = 0.5, confidence: float | None = None
) -> Payload | None:
    """A mask of CVAT (2.60 and later); None if nothing is above ``threshold``."""
    points = rle.encoded(patch.mask(threshold), patch.offset)
    if not points:
        return None
    attributes = [] if confidence is None else [_confidence(confidence)]
    return {"type": "mask", "points": points, "attributes": attributes}


def shapes(found: Sequence[Payload | None]) -> Payload:
    """The answer of an interactor; no shape is an answer, too."""
    return {"shapes": [shape for shape in found if shape is not None]}


def whole_mask(patches: Sequence[Patch], grid: Grid, threshold: float = 0.5) -> Payload:
    """The answer that CVAT up to 2.59 reads: every pixel of the image, 0 or 1."""
    mask = np.zeros(grid, np.uint8)
    for patch in patches:
        mask[patch.box.slices] |= patch.mask(threshold)
    return {"mask": mask.tolist()}


def written(payload: Any) -> str:
    """JSON of plain numbers.

    nuclio's own encoder writes what it does not know as its ``repr``, and CVAT would
    take that for a mask. Here a NumPy number or NaN is an error.
    """
    return json.dumps(payload, allow_nan=False, separators=(",", ":"))


def _confidence(value: float) -> Payload:
    return {"spec_id": CONFIDENCE_ID, "value": f"{value:.3f}"}
