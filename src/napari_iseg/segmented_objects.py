"""Accepted objects as cropped masks: drawn, cut and cropped without a whole image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Grid, Labels, Mask, bounding_box
from napari_iseg.clicks import Clicks
from napari_iseg.segmenter import Patch


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedObject:
    """An accepted object: its pixels, and what to do to find them again.

    ``mask`` is ``(h, w)`` of ``box``, after the overlap policy. ``prior`` is the
    segmentation that the clicks corrected, None if there was none.
    """

    label: int
    clicks: Clicks
    box: Box
    mask: Mask
    method: str
    hypothesis: int = 0
    prior: Patch | None = None

    @property
    def area(self) -> int:
        """In pixels."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Where accepted objects are: a boolean image that exists only where it is read."""

    grid: Grid
    objects: tuple[SegmentedObject, ...]

    @property
    def shape(self) -> Grid:
        return self.grid

    @property
    def ndim(self) -> int:
        return 2

    @property
    def dtype(self) -> np.dtype[np.bool_]:
        return np.dtype(np.bool_)

    def __getitem__(self, index: Any, /) -> Mask:
        if not (
            isinstance(index, tuple)
            and len(index) == 2
            and all(isinstance(part, slice) for part in index)
        ):
            raise IndexError(f"read a window by two slices, got {index!r}")
        rows, columns = (
            range(length)[part] for part, length in zip(index, self.grid, strict=True)
        )
        if len(rows) == 0 or len(columns) == 0:
            return np.zeros((len(rows), len(columns)), np.bool_)
        top, bottom = sorted((rows[0], rows[-1]))
        left, right = sorted((columns[0], columns[-1]))
        drawn = painted(self.objects, Box(top, left, bottom + 1, right + 1)) > 0
        return drawn[:: rows.step, :: columns.step]

    def __array__(
        self,
        dtype: Any = None,
        copy: bool | None = None,  # noqa: FBT001 - numpy's own signature
    ) -> NDArray[Any]:
        return self[:, :].astype(dtype or np.bool_)


def painted(objects: Iterable[SegmentedObject], box: Box) -> Labels:
    """``box.shape``: the label of the object at each pixel, 0 where there is none."""
    labels = np.zeros(box.shape, np.int32)
    top, left, bottom, right = box.top, box.left, box.bottom, box.right
    for one in objects:
        own = one.box
        if (  # spelled out: there may be thousands of objects and a click cannot wait
            own.top >= bottom
            or own.bottom <= top
            or own.left >= right
            or own.right <= left
        ):
            continue
        shared = own.intersection(box)
        part = one.mask[shared.moved(-own.top, -own.left).slices]
        labels[shared.moved(-top, -left).slices][part] = one.label
    return labels


def with_pixels(
    box: Box, mask: Mask, described: SegmentedObject
) -> SegmentedObject | None:
    """``described`` with the pixels of ``mask``, cropped; None if there are none."""
    inner = bounding_box(mask)
    if inner is None:
        return None
    own = mask[inner.slices].copy()
    own.flags.writeable = False
    return replace(described, box=inner.moved(box.top, box.left), mask=own)


def without_pixels(
    objects: Iterable[SegmentedObject], box: Box, mask: Mask
) -> Iterator[SegmentedObject]:
    """The objects with the pixels of ``mask`` taken away; empty ones left out."""
    for one in objects:
        shared = one.box.intersection(box)
        if shared.is_empty:
            yield one
            continue
        taken = mask[shared.moved(-box.top, -box.left).slices]
        own = one.mask.copy()
        own[shared.moved(-one.box.top, -one.box.left).slices] &= ~taken
        left = one if (own == one.mask).all() else with_pixels(one.box, own, one)
        if left is not None:
            yield left


def objects_of(labels: NDArray[Any]) -> list[SegmentedObject]:
    """The objects of a label image, without clicks, by rising label.

    Parameters
    ----------
    labels
        ``(H, W)`` of whole numbers, 0 is background.

    Raises
    ------
    ValueError
        If it is no such image.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected labels, whole numbers of shape (H, W), got {labels.dtype} of "
            f"shape {labels.shape}"
        )
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    order = np.argsort(values, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    if values.size and not 0 < values[0] <= values[-1] <= np.iinfo(np.int32).max:
        raise ValueError(f"labels are in 0..2147483647, got {values[0]}..{values[-1]}")
    edges = np.flatnonzero(np.diff(values)) + 1
    parts = pairwise([0, *edges.tolist(), values.size] if values.size else [])
    return [
        _from_pixels(int(values[start]), rows[start:end], columns[start:end])
        for start, end in parts
    ]


def _from_pixels(
    label: int, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> SegmentedObject:
    top, left = int(rows.min()), int(columns.min())
    box = Box(top, left, int(rows.max()) + 1, int(columns.max()) + 1)
    mask = np.zeros(box.shape, np.bool_)
    mask[rows - top, columns - left] = True
    mask.flags.writeable = False
    return SegmentedObject(label, Clicks(), box, mask, "adopted")


def cropped(patch: Patch, threshold: float) -> tuple[Box, Mask] | None:
    """Where ``patch`` is above ``threshold``, without margins; None if nowhere."""
    mask = patch.mask(threshold)
    inner = bounding_box(mask)
    if inner is None:
        return None
    return inner.moved(*patch.offset), mask[inner.slices]
