"""Images to try the plugin on, for napari's File > Open Sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from napari_iseg.gui.drawn_cells import dividing_cells, stack_of_cells

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]


def stained_tissue() -> list[LayerData]:
    """Colon, membranes brown and nuclei blue; part of scikit-image."""
    return _bundled("immunohistochemistry", "stained tissue")


def label_free_cell() -> list[LayerData]:
    """One cell in quantitative phase; part of scikit-image."""
    return _bundled("cell", "label-free cell")


def coins() -> list[LayerData]:
    """Greek coins: round things that touch; part of scikit-image."""
    return _bundled("coins", "coins")


def retina() -> list[LayerData]:
    """The back of an eye with its vessels; part of scikit-image."""
    return _bundled("retina", "retina")


def microaneurysms() -> list[LayerData]:
    """Small dark spots in a retina; part of scikit-image."""
    return _bundled("microaneurysms", "microaneurysms")


def drawn_stack() -> list[LayerData]:
    """A z-stack of drawn cells."""
    look = {"name": "drawn z-stack", "axis_labels": ("z", "y", "x"), "scale": (2, 1, 1)}
    return [(stack_of_cells(), look, "image")]


def drawn_series() -> list[LayerData]:
    """A time series of drawn cells that move and divide."""
    look = {"name": "drawn time series", "axis_labels": ("t", "y", "x")}
    return [(dividing_cells(), look, "image")]


def cells_in_3d() -> list[LayerData]:
    """Nuclei and membranes in three dimensions; downloaded once (37 MB)."""
    stack = _downloaded("cells3d")  # (z, channel, y, x)
    axes = {"axis_labels": ("z", "y", "x"), "scale": (0.29, 0.26, 0.26)}
    return [
        (stack[:, 0], {"name": "membranes", "colormap": "magenta", **axes}, "image"),
        (
            stack[:, 1],
            {"name": "nuclei", "colormap": "green", "blending": "additive", **axes},
            "image",
        ),
    ]


def human_mitosis() -> list[LayerData]:
    """Many nuclei, some of them dividing; downloaded once."""
    return [(_downloaded("human_mitosis"), {"name": "human mitosis"}, "image")]


def _bundled(name: str, title: str) -> list[LayerData]:
    import skimage.data

    load: Callable[[], Any] = getattr(skimage.data, name)
    return [(load(), {"name": title}, "image")]


def _downloaded(name: str) -> Any:
    """A data set of scikit-image that pooch keeps after the first time.

    Raises
    ------
    ConnectionError
        If it is not there yet and cannot be fetched.
    """
    import skimage.data
    from napari.utils import progress

    load: Callable[[], Any] = getattr(skimage.data, name)
    bar = progress(total=0, desc=f"downloading {name}, once")
    try:
        return load()
    except OSError as problem:  # what requests and pooch raise without a network
        raise ConnectionError(
            f"the sample {name!r} is downloaded once and there is no connection now; "
            "connect and try again, or open one of the samples that need no download"
        ) from problem
    finally:
        bar.close()
