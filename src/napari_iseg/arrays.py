"""Names for the arrays that cross the package's seams, and what each promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]  # (H, W)
Labels: TypeAlias = NDArray[np.int32]  # (H, W), 0 = background
ProbabilityMap: TypeAlias = NDArray[np.float32]  # (H, W), 0..1
Plane: TypeAlias = NDArray[np.float32]  # (H, W, 3), about 0..1
Grid: TypeAlias = tuple[int, int]  # height, width in pixels

EVERYWHERE = np.ones((3, 3), bool)  # what is connected: a pixel with its 8 neighbours


class ImageLike(Protocol):
    """What an image must answer: numpy, dask and zarr arrays all do."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> Any: ...
    def __getitem__(self, index: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Box:
    """Rows ``top <= r < bottom`` and columns ``left <= c < right``, in pixels."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> Grid:
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def is_empty(self) -> bool:
        return self.bottom <= self.top or self.right <= self.left

    def clipped_to(self, grid: Grid) -> Box:
        """The part of this box that lies inside an image of shape ``grid``."""
        return self.intersection(Box(0, 0, *grid))

    def intersection(self, other: Box) -> Box:
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def union(self, other: Box) -> Box:
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def moved(self, rows: int, columns: int) -> Box:
        return Box(
            self.top + rows,
            self.left + columns,
            self.bottom + rows,
            self.right + columns,
        )


def bounding_box(mask: Mask) -> Box | None:
    """The smallest box that holds every true pixel of ``mask``, or None."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def image_grid(image: ImageLike) -> Grid:
    """Height and width of ``(H, W)`` or ``(H, W, C)``.

    Raises
    ------
    ValueError
        If ``image`` has another number of axes or no pixel.
    """
    shape = tuple(image.shape)
    if len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            "expected an image of shape (H, W) or (H, W, C) with at least one pixel, "
            f"got {shape}; choose a plane with napari_iseg.plane_of()"
        )
    return int(shape[0]), int(shape[1])


def plane_of(
    image: ImageLike,
    index: Sequence[int] = (),
    channels: Sequence[int] | None = None,
    *,
    channel_axis: int | None = None,
) -> Any:
    """One plane of a stack, with the chosen channels last.

    Parameters
    ----------
    image
        Any number of leading axes (time, z, ...), then rows and columns; one
        channel axis anywhere.
    index
        One index for each leading axis, channel axis not counted.
    channels
        Which channels to keep; None keeps all.
    channel_axis
        Where the channels are; None if there are none.

    Returns
    -------
    ``(H, W)`` or ``(H, W, C)``, of the same kind as ``image`` (a dask array stays
    lazy).

    Raises
    ------
    ValueError
        If the number of indices does not fit the number of leading axes.
    """
    ndim = len(image.shape)
    axis = None if channel_axis is None else channel_axis % ndim
    leading = ndim - 2 - (axis is not None)
    if len(index) != leading:
        raise ValueError(
            f"an image of shape {tuple(image.shape)} needs {leading} indices to "
            f"choose a plane, got {len(index)}: {tuple(index)}"
        )
    rest = iter(index)
    spatial = [a for a in range(ndim) if a != axis][-2:]
    key = tuple(
        slice(None) if a in spatial or a == axis else int(next(rest))
        for a in range(ndim)
    )
    plane = image[key]
    if axis is None:
        return plane
    kept = sum(1 for a in range(axis) if a in spatial)  # axes left before channels
    plane = plane.transpose(*[a for a in range(3) if a != kept], kept)
    return plane if channels is None else plane[..., list(channels)]
