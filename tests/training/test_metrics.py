"""Numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from training.metrics import ClickCurve, failures, iou, mean_clicks, summary


def curve(*ious: float, obeyed: bool = True, seconds: float = 0.01) -> ClickCurve:
    n = len(ious)
    return ClickCurve("m", "d", "ritm", "s", ious, (obeyed,) * n, (seconds,) * n)


def test_clicks_to_a_target_are_counted_from_one() -> None:
    assert curve(0.5, 0.86, 0.91).clicks_to(0.85) == 2
    assert curve(0.5, 0.86, 0.91).clicks_to(0.9) == 3
    assert curve(0.5, 0.86).clicks_to(0.9) is None


def test_a_dip_after_the_target_does_not_count_against_it() -> None:
    assert curve(0.95, 0.5, 0.95).clicks_to(0.9) == 1


def test_a_failure_counts_as_twenty_clicks() -> None:
    curves = [curve(0.95), curve(*[0.2] * 20)]

    assert mean_clicks(curves, 0.9) == 10.5
    assert failures(curves, 0.9) == 0.5


def test_after_the_robot_is_content_the_last_value_stands() -> None:
    assert curve(0.5, 1.0).after(20) == 1


def test_a_row_of_the_table_by_hand() -> None:
    row = summary([curve(0.8, 0.9, seconds=0.02), curve(1.0, seconds=0.04)])

    assert row["objects"] == 2
    assert row["iou@1"] == pytest.approx(0.9)
    assert row["iou@20"] == pytest.approx(0.95)
    assert row["noc90"] == 1.5
    assert row["obedience"] == 1
    assert row["first_ms"] == pytest.approx(30)
    assert row["drops"] == 0


def test_a_disobeyed_click_shows() -> None:
    row = summary([curve(0.9, 0.8, obeyed=False)])

    assert row["obedience"] == 0
    assert row["drops"] == 1


def test_half_of_two_pixels() -> None:
    truth, predicted = np.array([[True, True]]), np.array([[True, False]])

    assert iou(truth, predicted) == 0.5
    assert iou(truth, predicted, np.array([[False, True]])) == 1


@given(a=arrays(bool, (5, 6)), b=arrays(bool, (5, 6)))
def test_iou_is_symmetric_and_between_zero_and_one(
    a: np.ndarray, b: np.ndarray
) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1
    assert iou(a, a) == 1
