"""A click at the outline speaks for the whole outline."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.clicks import Click
from napari_iseg.refine.level import levelled, logits
from napari_iseg.segmenter import Patch

ROWS, COLUMNS = np.indices((41, 41))
AWAY = np.hypot(ROWS - 20, COLUMNS - 20)
CELL = Patch((1 / (1 + np.exp(AWAY - 10))).astype(np.float32), (100, 50))  # radius 10


def radius(patch: Patch) -> float:
    return float(np.sqrt(patch.mask().sum() / np.pi))


@pytest.mark.parametrize(
    ("column", "is_positive", "wanted"), [(83, True, 13), (77, False, 7)]
)
def test_the_outline_moves_to_the_click_everywhere(
    column: int, is_positive: bool, wanted: float
) -> None:
    click = Click(120, column, is_positive)

    moved = levelled(CELL, CELL, click, most=5, share=1)

    assert radius(moved) == pytest.approx(wanted, abs=0.6)
    assert moved.offset == CELL.offset


def test_half_a_share_moves_the_outline_half_way() -> None:
    moved = levelled(CELL, CELL, Click(120, 83, True), most=5, share=0.5)

    assert radius(moved) == pytest.approx(11.5, abs=0.6)


def test_a_click_far_from_the_outline_moves_nothing() -> None:
    missing_part = Click(120, 89, True)  # nine pixels outside: another part of the cell

    assert levelled(CELL, CELL, missing_part, most=5, share=1) is CELL


def test_a_click_that_the_old_answer_agrees_with_moves_nothing() -> None:
    assert levelled(CELL, CELL, Click(120, 72, True), most=5, share=1) is CELL
    assert levelled(CELL, CELL, Click(120, 85, False), most=5, share=1) is CELL


def test_certain_pixels_have_finite_log_odds() -> None:
    assert np.isfinite(logits(np.float32([0, 0.5, 1]))).all()
