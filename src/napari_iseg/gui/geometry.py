"""Pixels of an image layer and points of napari's world: the only conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.transforms import Affine
from numpy.typing import NDArray

from napari_iseg.gui.planes import PlaneIndex

if TYPE_CHECKING:
    from napari.layers import Layer


def pixel_at(
    layer: Layer, world: Sequence[float], plane: PlaneIndex
) -> tuple[int, int]:
    """The pixel of ``plane`` that holds a point of the world.

    Parameters
    ----------
    layer
        The image layer; its scale, rotation, shear, translation and affine count.
    world
        One coordinate for each of the viewer's axes.
    plane
        Which axes of the layer are rows and columns.

    Returns
    -------
    ``(row, column)``; may lie outside the image.
    """
    data = np.asarray(layer.world_to_data(world))
    row, column = (data[axis] for axis in plane.axes)
    # napari draws pixel 3 from 2.5 to 3.5
    return int(np.floor(row + 0.5)), int(np.floor(column + 0.5))


def world_of(
    layer: Layer, pixel: tuple[float, float], plane: PlaneIndex
) -> NDArray[np.float64]:
    """The point of the world at the centre of a pixel of ``plane``.

    Returns
    -------
    One coordinate for each axis of ``layer``.
    """
    return np.asarray(layer.data_to_world(plane.position_of(pixel)), float)


def placement_of(
    layer: Layer,
    corner: Sequence[float] | None = None,
    thick: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """What puts another layer's pixels on the pixels of ``layer``.

    Parameters
    ----------
    corner
        The pixel of ``layer`` that shall be the other layer's first; None is pixel 0.
    thick
        An axis along which the other layer has one pixel, and how many pixels of
        ``layer`` that one covers: a mask is the same in all channels.

    Returns
    -------
    Attributes of a layer by name: scale, rotate, shear, translate, affine.
    """
    place = {
        "scale": np.array(layer.scale),
        "rotate": np.array(layer.rotate),
        "shear": np.array(layer.shear),
        "translate": np.array(layer.translate),
        "affine": np.array(layer.affine.affine_matrix),
    }
    first = np.zeros(layer.ndim) if corner is None else np.array(corner, float)
    if thick is not None:
        first[thick[0]] += (thick[1] - 1) / 2
    if first.any():
        inner = Affine(
            scale=place["scale"],
            rotate=place["rotate"],
            shear=place["shear"],
            translate=place["translate"],
        )
        place["translate"] = np.asarray(inner(first))
    if thick is not None:
        place["scale"][thick[0]] *= thick[1]
    return place


def put_on(target: Layer, place: dict[str, Any]) -> None:
    """Give ``target`` the placement, touching only what differs."""
    current = placement_of(target)
    for name, value in place.items():
        if not np.array_equal(current[name], value):
            setattr(target, name, value)
