"""How good a finished label map is: numbers by hand, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.metrics import iou
from training.metrics.instances import (
    THRESHOLDS,
    instance_quality,
    instance_summary,
)

Array = np.ndarray
label_maps = arrays(np.int32, (6, 7), elements=st.integers(0, 4))
voids = arrays(bool, (6, 7))


def drawn(*rectangles: tuple[int, int, int, int]) -> Array:
    """Objects 1, 2, ...: top, left, bottom, right; the last two excluded."""
    labels = np.zeros((40, 40), np.int32)
    for label, (top, left, bottom, right) in enumerate(rectangles, start=1):
        labels[top:bottom, left:right] = label
    return labels


def test_one_found_well_one_found_badly_one_missed_one_invented() -> None:
    truth = drawn((0, 0, 10, 10), (20, 0, 30, 10), (0, 20, 10, 30))
    labels = drawn((0, 0, 10, 8), (20, 0, 25, 10), (30, 30, 35, 35))  # .8, .5, surplus

    quality = instance_quality(labels, truth, clicks=7)

    assert (quality.objects, quality.found) == (3, 3)
    assert quality.precision(0.5) == pytest.approx(1 / 5)  # .5 is not more than .5
    assert quality.precision(0.75) == pytest.approx(1 / 5)
    assert quality.precision(0.8) == 0
    assert quality.msa == pytest.approx(6 * 0.2 / 10)
    assert quality.sq == pytest.approx(0.8)
    assert quality.rq == pytest.approx(2 * 1 / 6)
    assert quality.pq == pytest.approx(0.8 / 3)


def test_numbers_of_objects_do_not_matter() -> None:
    truth = drawn((0, 0, 10, 10), (20, 0, 30, 10))
    labels = np.where(truth == 1, 900, np.where(truth == 2, 3, 0))

    quality = instance_quality(labels, truth)

    assert quality.precisions == (1.0,) * len(THRESHOLDS)
    assert quality.pq == 1


def test_a_split_object_is_found_once_at_most() -> None:
    truth = drawn((0, 0, 10, 10))
    labels = drawn((0, 0, 10, 6), (0, 6, 10, 10))

    quality = instance_quality(labels, truth)

    assert quality.precision(0.55) == pytest.approx(1 / 2)
    assert quality.precision(0.6) == 0


def test_an_object_found_in_the_void_is_not_held_against_anyone() -> None:
    truth = drawn((0, 0, 10, 10))
    labels = drawn((0, 0, 10, 10), (20, 20, 30, 30))
    void = drawn((20, 20, 30, 26)) > 0  # more than half of the second one

    assert instance_quality(labels, truth, void).pq == 1
    assert instance_quality(labels, truth).rq == pytest.approx(2 / 3)


def test_void_pixels_do_not_make_an_object_worse() -> None:
    truth, labels = drawn((0, 0, 10, 10)), drawn((0, 0, 10, 15))
    void = drawn((0, 10, 40, 20)) > 0

    assert instance_quality(labels, truth, void).sq == 1
    assert instance_quality(labels, truth).sq == pytest.approx(100 / 150)


def test_an_empty_map_is_right_about_an_empty_image_only() -> None:
    nothing, something = drawn(), drawn((0, 0, 10, 10))

    assert instance_quality(nothing, nothing).pq == 1
    assert instance_quality(nothing, something).pq == 0
    assert instance_quality(something, nothing).msa == 0


@settings(deadline=None)
@given(labels=label_maps, truth=label_maps, void=voids)
def test_agrees_with_every_pair_compared_by_brute_force(
    labels: Array, truth: Array, void: Array
) -> None:
    quality = instance_quality(labels, truth, void)

    true = [truth == k for k in np.unique(truth[~void]) if k]
    found = [labels == k for k in np.unique(labels) if k]
    for threshold, precision in zip(THRESHOLDS, quality.precisions, strict=True):
        hits = [
            max((iou(t, f, void) for t in true), default=0) > threshold for f in found
        ]
        hidden = [(f & void).sum() > f.sum() / 2 for f in found]
        surplus = sum(not a and not b for a, b in zip(hits, hidden, strict=True))
        everything = len(true) + surplus
        assert precision == pytest.approx(sum(hits) / everything if everything else 1)
    assert quality.objects == len(true)
    assert quality.precision(0.5) <= quality.rq


@given(truth=label_maps)
def test_the_truth_is_perfect(truth: Array) -> None:
    quality = instance_quality(truth, truth)

    assert quality.msa == quality.pq == quality.sq == quality.rq == 1


class TestARowOfATable:
    def test_averages_images_and_adds_up_clicks(self) -> None:
        one, two = drawn((0, 0, 10, 10)), drawn((0, 0, 10, 10), (20, 0, 30, 10))

        row = instance_summary(
            [
                instance_quality(one, one, clicks=2),
                instance_quality(one, two, clicks=7),
            ]
        )

        assert (row["images"], row["objects"], row["clicks"]) == (2, 3, 9)
        assert row["ap50"] == row["msa"] == 0.75
        assert row["pq"] == pytest.approx((1 + 2 / 3) / 2)
        assert row["clicks_per_image"] == 4.5
        assert row["clicks_per_object"] == 3

    def test_has_no_clicks_where_nobody_counted(self) -> None:
        assert "clicks" not in instance_summary([instance_quality(drawn(), drawn())])

    def test_of_no_image_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="no image to sum up; finish a label map"):
            instance_summary([])


def test_maps_of_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 4\), the true one of \(4, 3\)"):
        instance_quality(np.zeros((3, 4), int), np.zeros((4, 3), int))


def test_negative_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="a label -1; objects are numbered from 1"):
        instance_quality(np.full((3, 3), -1), np.zeros((3, 3), int))


def test_a_threshold_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not at 0\.42"):
        instance_quality(drawn(), drawn()).precision(0.42)
