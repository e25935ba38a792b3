"""Run lengths: CVAT's own codec reads what we write."""

from __future__ import annotations

import numpy as np
import pytest
from cvat_sdk.masks import decode_mask, encode_mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_iseg.cvat import rle

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(masks.filter(np.any))
def test_the_runs_are_those_of_cvats_own_codec(mask: np.ndarray):
    runs = rle.encoded(mask)

    assert runs == [int(v) for v in encode_mask(mask)]
    assert all(type(run) is int for run in runs)


@given(masks.filter(np.any), st.integers(0, 5), st.integers(0, 5))
def test_a_part_of_an_image_gives_the_mask_at_its_place(
    mask: np.ndarray, row: int, column: int
):
    height, width = mask.shape
    whole = np.zeros((height + 9, width + 9), bool)
    whole[row : row + height, column : column + width] = mask

    runs = rle.encoded(mask, (row, column))

    found = decode_mask(runs, image_width=width + 9, image_height=height + 9)
    assert np.array_equal(found, whole)
    assert np.array_equal(rle.decoded(runs, whole.shape), whole)


def test_an_empty_mask_has_no_runs():
    assert rle.encoded(np.zeros((4, 5), bool)) == []


@pytest.mark.parametrize(
    "points",
    [
        [0, 4, 0, 0, 2, 1],  # 4 pixels in a box of 6
        [0, 6, 8, 0, 10, 1],  # outside
        [-2, 8, 0, 0, 2, 1],
        [0, 0, 1, 1],
    ],
)
def test_runs_that_are_no_mask_are_refused(points: list[int]):
    with pytest.raises(ValueError, match="are no mask of an image of 5 x 9 pixels"):
        rle.decoded(points, (5, 9))
