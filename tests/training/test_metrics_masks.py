"""How good one answer is: numbers by hand, and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_iseg import Clicks
from training.metrics import (
    boundary_iou,
    coverage,
    decidability_index,
    hamming_distance,
    inner_rim,
    iou,
)

Array = np.ndarray
masks = arrays(bool, (7, 9))


def square(top: int, left: int, side: int, grid: tuple[int, int] = (40, 40)) -> Array:
    mask = np.zeros(grid, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_half_of_two_pixels() -> None:
    truth, predicted = np.array([[True, True]]), np.array([[True, False]])

    assert iou(truth, predicted) == 0.5
    assert hamming_distance(truth, predicted) == 0.5
    assert coverage(truth, predicted) == 0.5


def test_half_of_two_pixels_is_all_if_the_other_is_void() -> None:
    truth, predicted = np.array([[True, True]]), np.array([[True, False]])
    void = np.array([[False, True]])

    assert iou(truth, predicted, void) == 1
    assert hamming_distance(truth, predicted, void) == 0
    assert coverage(truth, predicted, void) == 1
    assert boundary_iou(truth, predicted, void) == 1


def test_surplus_pixels_cost_distance_but_no_coverage() -> None:
    truth, predicted = square(10, 10, 10), square(10, 10, 20)

    assert coverage(truth, predicted) == 1
    assert hamming_distance(truth, predicted) == pytest.approx(300 / 1600)


def test_a_doubtful_answer_is_half_wrong_everywhere() -> None:
    truth, doubtful = square(10, 10, 10), np.full((40, 40), 0.5, np.float32)

    assert hamming_distance(truth, doubtful) == 0.5
    assert coverage(truth, doubtful) == 0.5


def test_an_empty_truth_is_covered() -> None:
    empty = np.zeros((3, 3), bool)

    assert (
        iou(empty, empty) == boundary_iou(empty, empty) == coverage(empty, empty) == 1
    )
    assert hamming_distance(empty, empty, ~empty) == 0


class TestBoundary:
    def test_a_rim_of_two_pixels_of_a_square(self) -> None:
        rim = inner_rim(square(10, 10, 10), 2)

        assert rim.sum() == 10 * 10 - 6 * 6

    def test_at_the_image_s_border_there_is_a_rim(self) -> None:
        whole = np.ones((6, 6), bool)

        assert inner_rim(whole, 1).sum() == 20

    def test_a_square_one_pixel_beside_another(self) -> None:
        truth, predicted = square(10, 10, 10), square(10, 11, 10)

        # rims of 36 pixels; two rows of 9 and nothing of the columns in common
        assert boundary_iou(truth, predicted, pixels=1) == pytest.approx(18 / 54)
        assert iou(truth, predicted) == pytest.approx(90 / 110)

    def test_is_two_percent_of_the_diagonal_wide(self) -> None:
        truth = square(50, 50, 150, (300, 400))  # diagonal 500
        predicted = square(60, 50, 150, (300, 400))

        assert boundary_iou(truth, predicted) == boundary_iou(
            truth, predicted, pixels=10
        )
        assert boundary_iou(truth, predicted, dilation=0.01) == boundary_iou(
            truth, predicted, pixels=5
        )

    def test_a_rim_as_wide_as_the_cell_is_the_cell(self) -> None:
        truth, predicted = square(10, 10, 10), square(12, 10, 10)

        assert boundary_iou(truth, predicted, pixels=9) == iou(truth, predicted)

    def test_a_rim_of_no_pixels_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least 1 pixel wide, got 0"):
            boundary_iou(square(1, 1, 2), square(1, 1, 2), pixels=0)

    @given(mask=masks, width=st.integers(1, 4))
    def test_a_rim_is_what_erosion_takes_away(self, mask: Array, width: int) -> None:
        core = ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=width)

        np.testing.assert_array_equal(inner_rim(mask, width), mask & ~core)


@given(a=masks, b=masks, ignored=masks)
def test_overlaps_are_symmetric_and_between_zero_and_one(
    a: Array, b: Array, ignored: Array
) -> None:
    for measure in (iou, boundary_iou, hamming_distance):
        assert measure(a, b, ignored) == measure(b, a, ignored)
        assert 0 <= measure(a, b, ignored) <= 1
    assert 0 <= coverage(a, b, ignored) <= 1
    assert iou(a, a) == boundary_iou(a, a) == 1
    assert hamming_distance(a, a) == 0


@settings(deadline=None)
@given(a=masks, b=masks, ignored=masks, noise=masks, seed=st.integers(0, 9))
def test_void_pixels_may_hold_anything(
    a: Array, b: Array, ignored: Array, noise: Array, seed: int
) -> None:
    probability = np.random.default_rng(seed).random(a.shape).astype(np.float32)
    clicks = Clicks.at([(1, 1)], [(5, 7)] if seed % 2 else [])
    noisy_a, noisy_b = a ^ (ignored & noise), b ^ (ignored & noise)
    noisy_probability = np.where(ignored, noise, probability).astype(np.float32)

    for measure in (iou, boundary_iou, hamming_distance, coverage):
        assert measure(a, b, ignored) == measure(noisy_a, noisy_b, ignored)
    np.testing.assert_equal(
        decidability_index(probability, clicks, a, ignored, radius=2),
        decidability_index(noisy_probability, clicks, noisy_a, ignored, radius=2),
    )


class TestDecidability:
    TRUTH = square(0, 0, 20)

    def test_by_hand(self) -> None:
        # near the positive click .9 and .7 in equal parts, near the negative .1 and .3:
        # means .8 and .2, variances .01 and .01
        probability = np.zeros((40, 40), np.float32)
        probability[:20] = np.where(np.arange(40) % 2, 0.9, 0.7)
        probability[20:] = np.where(np.arange(40) % 2, 0.1, 0.3)
        clicks = Clicks.at([(5, 5), (5, 6)], [(30, 5), (30, 6)])

        index = decidability_index(probability, clicks, self.TRUTH, radius=1)

        # a disc of radius 1 around each click: 4 pixels in each of the two columns
        assert index == pytest.approx(0.6 / 0.1, rel=1e-5)

    def test_sees_as_far_as_ten_pixels(self) -> None:
        probability = np.full((40, 40), 0.2, np.float32)
        probability[20, 30] = 0.9  # 10 pixels from the click
        probability[20, 31] = 0.0
        clicks = Clicks.at([(20, 20)], [(5, 5)])

        near = decidability_index(probability, clicks, self.TRUTH)

        discs = [
            [v for v in range(-10, 11) if v * v + u * u <= 100] for u in range(-10, 11)
        ]
        area = sum(len(row) for row in discs)
        share = 1 / area
        spread = math.sqrt(share * (1 - share) / 2) * 0.7
        assert near == pytest.approx(share * 0.7 / spread, rel=1e-4)

    def test_without_negative_clicks_the_background_stands_for_them(self) -> None:
        probability = np.where(self.TRUTH, 0.8, 0.2).astype(np.float32)
        probability[::2] += 0.1

        index = decidability_index(
            probability, Clicks.at([(9, 9)]), self.TRUTH, radius=3
        )

        near = (np.hypot(*(np.indices((40, 40)) - 9)) <= 3) & self.TRUTH
        inside, outside = probability[near], probability[~self.TRUTH]
        spread = np.sqrt((inside.var() + outside.var()) / 2)
        assert index == pytest.approx(
            (inside.mean() - outside.mean()) / spread, rel=1e-4
        )

    def test_without_positive_clicks_the_object_stands_for_them(self) -> None:
        probability = np.where(self.TRUTH, 0.8, 0.2).astype(np.float32)
        probability[::2] += 0.1

        index = decidability_index(probability, Clicks.at([], [(30, 30)]), self.TRUTH)

        assert index == pytest.approx(0.6 / 0.05, rel=0.05)

    def test_a_mask_of_zero_and_one_separates_without_end(self) -> None:
        clicks = Clicks.at([(5, 5)], [(35, 35)])

        hard = decidability_index(
            self.TRUTH.astype(np.float32), clicks, self.TRUTH, radius=3
        )
        flat = decidability_index(np.zeros((40, 40), np.float32), clicks, self.TRUTH)

        assert hard == math.inf
        assert flat == 0

    def test_where_everything_is_void_there_is_nothing_to_compare(self) -> None:
        probability = np.zeros((40, 40), np.float32)

        index = decidability_index(
            probability, Clicks.at([(5, 5)]), self.TRUTH, np.ones((40, 40), bool)
        )

        assert math.isnan(index)
