"""What a deployed function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORMATS = ("shapes", "mask")
_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "0": False,
    "false": False,
    "no": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Attributes are named like the variables; see ``VARIABLES``.

    Attributes
    ----------
    method
        A name of the catalogue.
    device
        "auto", "cpu", "cuda" or "mps".
    weights
        A safetensors file instead of those in the package; None: those.
    answer_format
        "shapes", or "mask" for CVAT up to 2.59.
    split_components
        One shape for each connected part of the mask.
    hypotheses
        How many guesses are answered, best first, each as a shape with a confidence.
    fill_holes
        Fill what the mask surrounds.
    smallest_area
        Parts of fewer pixels are left out.
    most_pixels
        Larger images are refused.
    cache_bytes, cache_images
        What each worker may remember of images.
    """

    method: str = "cells"
    device: str = "auto"
    weights: str | None = None
    answer_format: str = "shapes"
    split_components: bool = False
    hypotheses: int = 1
    fill_holes: bool = False
    smallest_area: int = 0
    most_pixels: int = 100_000_000
    cache_bytes: int = 512_000_000
    cache_images: int = 8

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Settings from environment variables; what is not set keeps its default.

        Raises
        ------
        ValueError
            Names the variable, its value and what it may be.
        """
        given = {
            name: _value(variable, environment[variable], getattr(cls(), name))
            for name, variable in VARIABLES.items()
            if environment.get(variable, "") != ""
        }
        settings = cls(**given)
        if settings.answer_format not in FORMATS:
            raise ValueError(
                f"{VARIABLES['answer_format']} must be one of {', '.join(FORMATS)}, "
                f"got {settings.answer_format!r}"
            )
        return settings


VARIABLES = {
    "method": "ISEG_METHOD",
    "device": "ISEG_DEVICE",
    "weights": "MODEL_PATH",
    "answer_format": "CVAT_RESPONSE_FORMAT",
    "split_components": "ISEG_SPLIT_COMPONENTS",
    "hypotheses": "ISEG_HYPOTHESES",
    "fill_holes": "ISEG_FILL_HOLES",
    "smallest_area": "ISEG_MIN_AREA",
    "most_pixels": "ISEG_MAX_PIXELS",
    "cache_bytes": "ISEG_CACHE_BYTES",
    "cache_images": "ISEG_CACHE_IMAGES",
}


def _value(variable: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return _switch(variable, text)
    return _count(variable, text) if isinstance(default, int) else text


def _switch(variable: str, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(
            f"{variable} must be one of {', '.join(_SWITCH)}, got {text!r}"
        )
    return _SWITCH[text.lower()]


def _count(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{variable} must be a whole number >= 0, got {text!r}")
    return int(text)
