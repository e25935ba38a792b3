"""What is ours and what is the user's in one label image."""

from __future__ import annotations

import numpy as np

from napari_iseg import Box, Clicks
from napari_iseg.gui.painted_objects import PaintedObjects
from napari_iseg.segmented_objects import SegmentedObject

GRID = (20, 20)


class Canvas:
    def __init__(self):
        self.pixels = np.zeros(GRID, np.int32)
        self.written = []

    def read(self, box):
        return self.pixels[box.slices]

    def write(self, box, changed, values):
        self.written.append(box)
        self.pixels[box.slices][changed] = values[changed]


def block(label, top, left, size=4):
    box = Box(top, left, top + size, left + size)
    return SegmentedObject(label, Clicks(), box, np.ones((size, size), bool), "test")


def showing(canvas, painted):
    def show(*objects, overwrite=False):
        by_label = {one.label: one for one in objects}
        painted.show(by_label, canvas.read, canvas.write, overwrite=overwrite)

    return show


def test_only_the_box_of_the_object_is_written():
    canvas = Canvas()
    show = showing(canvas, PaintedObjects())

    show(block(1, 2, 3))

    assert canvas.written == [Box(2, 3, 6, 7)]
    assert canvas.pixels.sum() == 16


def test_showing_twice_writes_once():
    canvas = Canvas()
    show = showing(canvas, PaintedObjects())
    one = block(1, 2, 3)

    show(one)
    show(one)

    assert len(canvas.written) == 1


def test_what_was_painted_by_hand_is_kept():
    canvas = Canvas()
    canvas.pixels[2:4, 2:4] = 9
    show = showing(canvas, PaintedObjects())

    show(block(1, 2, 2))
    kept = canvas.pixels.copy()
    show()

    assert (kept[2:4, 2:4] == 9).all()
    assert (kept == 1).sum() == 12
    assert (canvas.pixels[2:4, 2:4] == 9).all()
    assert (canvas.pixels > 0).sum() == 4


def test_what_was_covered_comes_back_when_the_object_goes():
    canvas = Canvas()
    canvas.pixels[2:4, 2:10] = 9
    before = canvas.pixels.copy()
    show = showing(canvas, PaintedObjects())

    show(block(1, 2, 2), overwrite=True)
    assert (canvas.pixels == 1).sum() == 16
    show(overwrite=True)

    assert np.array_equal(canvas.pixels, before)


def test_pixels_erased_by_hand_stay_erased():
    canvas = Canvas()
    show = showing(canvas, PaintedObjects())
    one = block(1, 2, 2)
    show(one)

    canvas.pixels[2, 2] = 0
    show(one, block(2, 10, 10))

    assert canvas.pixels[2, 2] == 0


def test_objects_that_take_pixels_from_each_other_end_right():
    canvas = Canvas()
    show = showing(canvas, PaintedObjects())
    first, second = block(1, 2, 2), block(2, 4, 4)
    show(first)
    trimmed = first.mask.copy()
    trimmed[2:, 2:] = False

    show(SegmentedObject(1, Clicks(), first.box, trimmed, "test"), second)
    with_both = canvas.pixels.copy()
    show(first)

    assert ((with_both == 1).sum(), (with_both == 2).sum()) == (12, 16)
    assert (canvas.pixels == 1).sum() == 16
    assert (canvas.pixels == 2).sum() == 0


def test_many_objects_at_once_are_one_pass():
    canvas = Canvas()
    show = showing(canvas, PaintedObjects())

    show(*(block(k + 1, 2 * (k // 8), 2 * (k % 8), 2) for k in range(64)))

    assert len(canvas.written) == 1
    assert len(np.unique(canvas.pixels)) == 65
