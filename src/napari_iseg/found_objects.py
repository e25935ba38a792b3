"""Objects that a method found by itself, beside those that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from napari_iseg.arrays import EVERYWHERE, Grid, Labels, Mask
from napari_iseg.segmented_objects import SegmentedObject, objects_of, with_pixels

FREE = 0.5  # share of its pixels that a found object must have for itself


def found_objects(labels: Labels, method: str) -> list[SegmentedObject]:
    """The objects of ``labels``, ``(H, W)``, as found by ``method``, without clicks."""
    return [replace(one, method=method) for one in objects_of(labels)]


def taken_by(objects: Iterable[SegmentedObject], grid: Grid) -> Mask:
    """``(H, W)``, true where there is an object."""
    taken = np.zeros(grid, np.bool_)
    for one in objects:
        taken[one.box.slices] |= one.mask
    return taken


def beside(found: Iterable[SegmentedObject], taken: Mask) -> Iterator[SegmentedObject]:
    """What is left of ``found`` where nothing is taken; ``taken`` is ``(H, W)``.

    An object that loses more than half of its pixels is what is there already, found
    once more: it is left out. Of one that falls apart the largest part is kept.
    """
    for one in found:
        mask = one.mask & ~taken[one.box.slices]
        area = np.count_nonzero(mask)
        if area == one.area:
            yield one
        elif area > FREE * one.area:
            rest = with_pixels(one.box, _largest_part(mask), one)
            if rest is not None:
                yield rest


def _largest_part(mask: Mask) -> Mask:
    from scipy import ndimage  # a session needs it for nothing else

    parts, _ = ndimage.label(mask, EVERYWHERE)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest: Mask = parts == sizes.argmax()
    return largest
