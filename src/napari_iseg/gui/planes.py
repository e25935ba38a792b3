"""Which plane and channels of an image layer are shown, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_iseg.arrays import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Image, Layer


@dataclass(frozen=True, slots=True)
class PlaneIndex:
    """One plane of a layer: an index for each hidden axis, None for the two shown.

    ``is_transposed`` if the viewer shows the later axis as rows.
    """

    index: tuple[int | None, ...]
    is_transposed: bool = False

    @property
    def axes(self) -> tuple[int, int]:
        """The layer's axes that are rows and columns."""
        first, second = (a for a, i in enumerate(self.index) if i is None)
        return (second, first) if self.is_transposed else (first, second)

    def position_of(self, pixel: tuple[float, float]) -> tuple[float, ...]:
        """Data coordinates of ``(row, column)``, one for each axis of the layer."""
        rows, columns = self.axes
        place = [0.0 if i is None else float(i) for i in self.index]
        place[rows], place[columns] = pixel
        return tuple(place)

    def key(self, rows: Any, columns: Any) -> tuple[Any, ...]:
        """An index into the layer's data for ``rows`` and ``columns``."""
        row_axis, column_axis = self.axes
        key: list[Any] = list(self.index)
        key[row_axis], key[column_axis] = rows, columns
        return tuple(key)

    def without(self, axis: int | None) -> PlaneIndex:
        """The same plane whatever the index along ``axis`` (that of the channels)."""
        if axis is None:
            return self
        index = list(self.index)
        index[axis] = 0
        return PlaneIndex(tuple(index), self.is_transposed)

    @property
    def hidden(self) -> tuple[int, ...]:
        return tuple(i for i in self.index if i is not None)


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """Which axis of a layer holds channels, and which of them the method sees.

    ``axis`` None: the layer has no channel axis (red, green and blue of an rgb layer
    are no axis of the layer). ``channels`` None: all of them.
    """

    axis: int | None = None
    channels: tuple[int, ...] | None = None


def full_resolution(layer: Layer) -> Any:
    """The layer's data; of a multiscale layer its finest level."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def layer_shape(layer: Layer) -> tuple[int, ...]:
    """Pixels along each axis of ``layer`` at full resolution, without rgb."""
    shape = tuple(int(n) for n in full_resolution(layer).shape)
    return shape[:-1] if getattr(layer, "rgb", False) else shape


def shown_plane(viewer: ViewerModel, layer: Layer) -> PlaneIndex:
    """The plane of ``layer`` that the viewer shows now.

    Raises
    ------
    ValueError
        If the viewer shows three dimensions, or shows an axis that the layer has not.
    """
    if viewer.dims.ndisplay != 2:
        raise ValueError(
            "clicks need a flat view, but the viewer shows 3 dimensions; "
            "press Ctrl+Y to go back to 2"
        )
    missing = viewer.dims.ndim - layer.ndim
    rows, columns = (axis - missing for axis in viewer.dims.displayed)
    if min(rows, columns) < 0:
        raise ValueError(
            f"the viewer shows an axis that {layer.name!r} does not have; "
            "roll the axes back with Ctrl+E"
        )
    point = layer.world_to_data(viewer.dims.point)
    limits = layer_shape(layer)
    index = tuple(
        None
        if axis in (rows, columns)
        else int(np.clip(np.floor(point[axis] + 0.5), 0, limits[axis] - 1))
        for axis in range(layer.ndim)
    )
    return PlaneIndex(index, is_transposed=rows > columns)


def guessed_channel_axis(layer: Layer) -> int | None:
    """The axis that the layer itself labels as channels; None if none is."""
    for axis, label in enumerate(getattr(layer, "axis_labels", ())):
        if str(label).lower() in ("c", "ch", "channel", "channels"):
            return axis
    return None


def channel_count(layer: Layer, axis: int | None) -> int:
    """How many channels there are to choose from."""
    if getattr(layer, "rgb", False):
        return int(full_resolution(layer).shape[-1])
    return 1 if axis is None else layer_shape(layer)[axis]


class LayerPlane:
    """One plane of a layer as ``(H, W)`` or ``(H, W, C)``; reads what is indexed only.

    Holds the layer's data, never a copy of it: numpy, dask and zarr alike.
    """

    def __init__(
        self, data: Any, plane: PlaneIndex, choice: ChannelChoice, *, is_rgb: bool
    ) -> None:
        self._data = data
        self._plane = plane
        self._choice = choice
        self._is_rgb = is_rgb
        rows, columns = plane.axes
        grid = (int(data.shape[rows]), int(data.shape[columns]))
        self.shape: tuple[int, ...] = (*grid, *self._channel_shape())
        self.dtype = np.dtype(data.dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def grid(self) -> Grid:
        return self.shape[0], self.shape[1]

    def __getitem__(self, index: Any, /) -> Any:
        rows, columns, rest = _three_parts(index)
        window = np.asarray(self._data[self._full_key(rows, columns)])
        window = self._rows_columns_channels(window)
        return window[(..., *rest)] if rest else window

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001 - numpy calls it so
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype)

    def _channel_shape(self) -> tuple[int, ...]:
        if not self._is_rgb and self._choice.axis is None:
            return ()
        axis = -1 if self._is_rgb else self._choice.axis
        available = int(self._data.shape[axis])
        chosen = self._choice.channels
        for channel in chosen or ():
            if not 0 <= channel < available:
                raise ValueError(
                    f"there is no channel {channel}; the layer has channels 0 to "
                    f"{available - 1}"
                )
        return (available if chosen is None else len(chosen),)

    def _full_key(self, rows: Any, columns: Any) -> tuple[Any, ...]:
        key = list(self._plane.key(rows, columns))
        if self._is_rgb:
            key.append(slice(None))
        elif self._choice.axis is not None:
            key[self._choice.axis] = slice(None)
        return tuple(key)

    def _rows_columns_channels(self, window: Any) -> Any:
        axes = list(self._plane.axes)
        if self._is_rgb:
            axes.append(len(self._plane.index))
        elif self._choice.axis is not None:
            axes.append(self._choice.axis)
        # indexing dropped the hidden axes: rank the ones that are left
        window = window.transpose([sorted(axes).index(axis) for axis in axes])
        chosen = self._choice.channels
        return (
            window if chosen is None or window.ndim == 2 else window[..., list(chosen)]
        )


def plane_image(layer: Image, plane: PlaneIndex, choice: ChannelChoice) -> LayerPlane:
    """What a method sees of ``layer``: lazily, at full resolution.

    Raises
    ------
    ValueError
        If there is no such channel or the channel axis is a shown one.
    """
    if choice.axis is not None and plane.index[choice.axis] is None:
        raise ValueError(
            f"axis {choice.axis} holds the channels and cannot be shown as rows or "
            "columns; roll the axes back with Ctrl+E or choose another channel axis"
        )
    return LayerPlane(
        full_resolution(layer), plane, choice, is_rgb=bool(getattr(layer, "rgb", False))
    )


def _three_parts(index: Any) -> tuple[Any, Any, Sequence[Any]]:
    parts = index if isinstance(index, tuple) else (index,)
    if any(part is Ellipsis for part in parts):
        parts = tuple(slice(None) if part is Ellipsis else part for part in parts)
    whole = (*parts, slice(None), slice(None))[: max(2, len(parts))]
    return whole[0], whole[1], whole[2:]
