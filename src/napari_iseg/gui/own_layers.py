"""The layers of the plugin: what each looks like when it is new."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Points
from napari.utils.colormaps import DirectLabelColormap

POSITIVE = "iseg positive"
NEGATIVE = "iseg negative"
PREVIEW = "iseg preview"
OBJECTS = "iseg objects"

# Okabe-Ito: told apart by people who do not tell red from green
BLUE = "#0072B2"
VERMILLION = "#D55E00"
YELLOW = "#F0E442"

FRESH, STALE = 0.45, 0.15  # opacity of the preview


def click_layer(ndim: int, *, is_positive: bool, size: float) -> Points:
    """An empty Points layer; discs are inside, crosses outside the object."""
    return Points(
        np.empty((0, ndim)),
        ndim=ndim,
        name=POSITIVE if is_positive else NEGATIVE,
        symbol="disc" if is_positive else "x",
        face_color=BLUE if is_positive else VERMILLION,
        border_color="white",
        border_width=0.12 if is_positive else 0.05,
        size=size,
        # never lost in a large image, never hiding a small cell
        canvas_size_limits=(9, 17),
        opacity=0.95,
    )


def preview_layer(ndim: int) -> Labels:
    """One pixel of nothing; becomes the cropped mask and is moved with it."""
    return Labels(
        np.zeros((1,) * ndim, np.uint8),
        name=PREVIEW,
        colormap=DirectLabelColormap(
            color_dict={None: "transparent", 0: "transparent", 1: YELLOW}
        ),
        opacity=FRESH,
    )


def objects_layer(shape: tuple[int, ...]) -> Labels:
    """An empty label image.

    Raises
    ------
    ValueError
        If the memory does not hold it.
    """
    try:
        empty = np.zeros(shape, np.int32)
    except MemoryError as problem:
        raise ValueError(
            f"a label image of {shape} pixels does not fit into memory; choose an "
            "existing Labels layer (zarr works) as the objects layer"
        ) from problem
    return Labels(empty, name=OBJECTS, opacity=0.55)


def guard(layer: Any, *, is_locked: bool = True) -> None:
    """Keep a user from deleting the layer by accident, where napari can (0.7.1)."""
    if hasattr(layer, "locked"):
        layer.locked = is_locked
