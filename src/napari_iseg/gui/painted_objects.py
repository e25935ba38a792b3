"""The session's objects in a label image that the user may paint in too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Labels, Mask
from napari_iseg.segmented_objects import SegmentedObject, painted

Read: TypeAlias = Callable[[Box], NDArray[Any]]
Write: TypeAlias = Callable[[Box, Mask, Labels], None]

MANY = 64  # from so many changed objects on, one pass over all is cheaper


class PaintedObjects:
    """Keeps one plane of a label image equal to a session's objects.

    Only pixels whose object changed are touched, each inside the object's box, and
    only while they still hold what was written there: what a user paints by hand is
    his. A pixel of his that an object covers comes back when the object goes.
    """

    def __init__(self) -> None:
        self._shown: Mapping[int, SegmentedObject] = {}
        self._beneath: list[tuple[Box, Mask, Labels]] = []

    def show(
        self,
        objects: Mapping[int, SegmentedObject],
        read: Read,
        write: Write,
        *,
        overwrite: bool,
    ) -> bool:
        """Write what differs; False if nothing did.

        Parameters
        ----------
        read
            The pixels of a box of the label image.
        write
            Gives the true pixels of a box their values.
        overwrite
            Whether objects may cover what the user painted.
        """
        before, self._shown = self._shown, objects
        boxes = _changed_boxes(before, objects)
        for box in boxes:
            was = painted(before.values(), box)
            wanted = painted(objects.values(), box)
            self._show_in(box, was, wanted, read(box), write, overwrite=overwrite)
        return bool(boxes)

    def _show_in(
        self,
        box: Box,
        was: Labels,
        wanted: Labels,
        there: NDArray[Any],
        write: Write,
        *,
        overwrite: bool,
    ) -> None:
        differs = (wanted != was) & (there != wanted)
        is_ours = (there == was) & (was != 0)
        covered = differs & ~is_ours & (wanted != 0)
        if not overwrite:
            covered &= there == 0
        self._remember(box, covered & (there != 0), there)
        gone = differs & is_ours & (wanted == 0)
        changed = covered | gone | (differs & is_ours & (wanted != 0))
        if changed.any():
            write(box, changed, np.where(gone, self._found_beneath(box), wanted))

    def _remember(self, box: Box, covered: Mask, there: NDArray[Any]) -> None:
        if covered.any():
            self._beneath.append((box, covered, there.astype(np.int32)))

    def _found_beneath(self, box: Box) -> Labels:
        found = np.zeros(box.shape, np.int32)
        for there, covered, values in self._beneath:
            common = box.intersection(there)
            if common.is_empty:
                continue
            inner = common.moved(-there.top, -there.left).slices
            outer = common.moved(-box.top, -box.left).slices
            found[outer] = np.where(covered[inner], values[inner], found[outer])
        return found


def _changed_boxes(
    before: Mapping[int, SegmentedObject], now: Mapping[int, SegmentedObject]
) -> list[Box]:
    if before is now:
        return []
    changed = [
        one
        for label in {**before, **now}
        for one in {id(o): o for o in (before.get(label), now.get(label))}.values()
        if one is not None and before.get(label) is not now.get(label)
    ]
    boxes = [one.box for one in changed]
    return [_union(boxes)] if len(boxes) >= MANY else boxes


def _union(boxes: Iterable[Box]) -> Box:
    first, *rest = boxes
    for box in rest:
        first = first.union(box)
    return first
