"""Interactive segmentation by clicks.

Every public name is imported when it is first used: a program that only wants
``Clicks`` must not wait for a network library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_iseg.arrays import Box, plane_of
    from napari_iseg.catalog import (
        AUTOMATIC,
        ENTRIES,
        Entry,
        load_automatic,
        load_segmenter,
    )
    from napari_iseg.click_log import ClickLog, read_log, replay, write_log
    from napari_iseg.clicks import Click, Clicks
    from napari_iseg.image_files import read_image, write_labels
    from napari_iseg.intensities import (
        DtypeRange,
        GivenLimits,
        Percentiles,
        ScaledImage,
        Unscaled,
    )
    from napari_iseg.refine.conversion import make_interactive
    from napari_iseg.refine.own_model import load_own_model
    from napari_iseg.segmenter import Patch, Predictor, Segmenter
    from napari_iseg.session import Overlap, SegmentedObject, Session

    __version__: str

__all__ = [
    "AUTOMATIC",
    "ENTRIES",
    "Box",
    "Click",
    "ClickLog",
    "Clicks",
    "DtypeRange",
    "Entry",
    "GivenLimits",
    "Overlap",
    "Patch",
    "Percentiles",
    "Predictor",
    "ScaledImage",
    "SegmentedObject",
    "Segmenter",
    "Session",
    "Unscaled",
    "__version__",
    "load_automatic",
    "load_own_model",
    "load_segmenter",
    "make_interactive",
    "plane_of",
    "read_image",
    "read_log",
    "replay",
    "write_labels",
    "write_log",
]

_MODULES = {
    "arrays": ("Box", "plane_of"),
    "catalog": (
        "AUTOMATIC",
        "ENTRIES",
        "Entry",
        "load_automatic",
        "load_segmenter",
    ),
    "click_log": ("ClickLog", "read_log", "replay", "write_log"),
    "clicks": ("Click", "Clicks"),
    "image_files": ("read_image", "write_labels"),
    "intensities": (
        "DtypeRange",
        "GivenLimits",
        "Percentiles",
        "ScaledImage",
        "Unscaled",
    ),
    "refine.conversion": ("make_interactive",),
    "refine.own_model": ("load_own_model",),
    "segmenter": ("Patch", "Predictor", "Segmenter"),
    "session": ("Overlap", "SegmentedObject", "Session"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = _version()
    elif name in _HOME:
        value = getattr(import_module(f"napari_iseg.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'napari_iseg' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("napari-iseg")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0+unknown"
