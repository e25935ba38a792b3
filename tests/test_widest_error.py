"""Where an answer is most wrong: known answers of the field's robot."""

from __future__ import annotations

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.widest_error import iou, next_click


def image_of(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


OBJECT = image_of(".......", ".###...", ".###...", ".###...", ".......")
NOTHING = np.zeros_like(OBJECT)


def test_the_first_click_is_in_the_middle_of_the_object():
    assert next_click(OBJECT, NOTHING, Clicks()) == Click(2, 2)


def test_the_deeper_error_is_clicked():
    surplus = image_of("....###", ".######", ".######", ".######", "....###")

    found = next_click(OBJECT, surplus, Clicks())

    assert found == Click(1, 5, is_positive=False)


def test_equally_deep_errors_are_taken_from_the_surplus_one():
    moved = np.roll(OBJECT, 3, axis=1)

    assert next_click(OBJECT, moved, Clicks()) == Click(2, 5, is_positive=False)


def test_no_pixel_is_clicked_twice():
    assert next_click(OBJECT, NOTHING, Clicks.at([(2, 2)])) == Click(1, 1)


def test_nothing_wrong_is_not_clicked():
    assert next_click(OBJECT, OBJECT, Clicks()) is None
    assert next_click(OBJECT, NOTHING, Clicks(), ignored=OBJECT) is None


def test_iou_counts_what_is_not_ignored():
    half = OBJECT.copy()
    half[3] = False

    assert iou(OBJECT, half) == 6 / 9
    assert iou(OBJECT, half, ignored=OBJECT & ~half) == 1
    assert iou(NOTHING, NOTHING) == 1
