"""A new answer changes the old one only where the click asks for it."""

from __future__ import annotations

import numpy as np

from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.merging import clicked_parts, progressive
from napari_iseg.segmenter import Patch


def patch_of(*squares: tuple[int, int], side: int = 40, size: int = 8) -> Patch:
    probability = np.zeros((side, side), np.float32)
    for row, column in squares:
        probability[row : row + size, column : column + size] = 1
    return Patch(probability, (100, 200))


def test_a_change_far_from_the_click_is_not_taken_over() -> None:
    old, new = patch_of((5, 5)), patch_of((5, 5), (5, 13), (28, 28))

    merged = progressive(old, new, Click(108, 216))

    assert merged.at(108, 216) > 0.5  # the part at the click
    assert merged.at(130, 230) < 0.5  # the far one


def test_the_nearest_change_is_taken_when_the_click_lies_in_none() -> None:
    old, new = patch_of((5, 5)), patch_of((5, 5), (28, 28))

    merged = progressive(old, new, Click(121, 221))

    assert merged.at(130, 230) > 0.5


def test_an_old_mask_beyond_the_new_patch_is_cut_to_it() -> None:
    old = Patch(np.ones((10, 10), np.float32), (95, 195))
    new = patch_of((0, 0))

    merged = progressive(old, new, Click(101, 201))

    assert merged.box == new.box


def test_parts_without_a_click_are_dropped() -> None:
    patch = patch_of((2, 2), (20, 20))

    kept = clicked_parts(patch, Clicks.at(positive=[(105, 205)]))

    assert kept.at(105, 205) > 0.5
    assert kept.at(125, 225) < 0.5


def test_without_any_click_in_a_part_all_are_kept() -> None:
    patch = patch_of((2, 2), (20, 20))

    assert clicked_parts(patch, Clicks.at(negative=[(130, 230)])) is patch
