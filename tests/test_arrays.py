"""Boxes, and planes out of stacks."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_iseg.arrays import Box, bounding_box, image_grid, plane_of
from napari_iseg.segmenter import Patch

boxes = st.builds(Box, *[st.integers(-5, 15)] * 4)
GRID = (12, 14)


@given(boxes, boxes)
def test_an_intersection_holds_what_both_boxes_hold(one: Box, other: Box):
    both = _pixels(one) & _pixels(other)

    assert _pixels(one.intersection(other)) == both
    assert one.intersection(other).is_empty == (not both)


@given(boxes, boxes)
def test_a_union_holds_what_either_box_holds(one: Box, other: Box):
    union = one.union(other)

    assert _pixels(one) | _pixels(other) <= _pixels(union)


@given(boxes)
def test_a_clipped_box_can_be_read_from_the_image(box: Box):
    clipped = box.clipped_to(GRID)

    if not clipped.is_empty:
        assert np.zeros(GRID)[clipped.slices].shape == clipped.shape


@given(boxes, st.integers(-3, 3), st.integers(-3, 3))
def test_moving_there_and_back_changes_nothing(box: Box, rows: int, columns: int):
    moved = box.moved(rows, columns)

    assert moved.shape == box.shape
    assert moved.moved(-rows, -columns) == box


@given(arrays(np.bool_, GRID))
def test_the_bounding_box_holds_every_true_pixel_and_no_empty_margin(mask: np.ndarray):
    box = bounding_box(mask)

    if box is None:
        assert not mask.any()
        return
    inside = mask[box.slices]
    assert inside.sum() == mask.sum()
    assert inside[0].any()
    assert inside[-1].any()
    assert inside[:, 0].any()
    assert inside[:, -1].any()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_the_grid_of_an_image_is_its_height_and_width(shape: tuple[int, ...]):
    assert image_grid(np.zeros(shape)) == (5, 7)


@pytest.mark.parametrize("shape", [(5,), (0, 4), (2, 3, 4, 5), ()])
def test_what_is_no_image_is_refused_with_its_shape(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"expected an image .* got \(.*plane_of"):
        image_grid(np.zeros(shape))


def test_a_plane_of_a_time_series_of_stacks_with_channels_has_them_last():
    image = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)  # T, C, Z, Y, X

    plane = plane_of(image, (1, 2), channels=(2, 0), channel_axis=1)

    assert plane.shape == (5, 6, 2)
    assert (plane[..., 0] == image[1, 2, 2]).all()
    assert (plane[..., 1] == image[1, 0, 2]).all()


def test_channels_that_are_last_already_stay_there():
    image = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2)

    plane = plane_of(image, [1], channel_axis=-1)

    assert (plane == image[1]).all()


def test_a_plane_of_a_lazy_image_stays_lazy():
    image = dask.array.zeros((3, 2, 100, 100), chunks=50)

    plane = plane_of(image, [2], channel_axis=1)

    assert isinstance(plane, dask.array.Array)
    assert plane.shape == (100, 100, 2)


def test_a_plane_needs_one_index_for_each_leading_axis():
    image = np.zeros((4, 3, 5, 6))

    with pytest.raises(ValueError, match=r"needs 2 indices .* got 1: \(0,\)"):
        plane_of(image, [0])


def test_a_patch_is_the_probability_map_without_the_zeros_around_it():
    patch = Patch(np.array([[0.25, 0.75]], np.float32), (3, 4))

    whole = patch.on((6, 7))

    assert whole.shape == (6, 7)
    assert whole.dtype == np.float32
    assert patch.box == Box(3, 4, 4, 6)
    assert whole[patch.box.slices].tolist() == [[0.25, 0.75]]
    assert whole.sum() == 1
    assert patch.mask().tolist() == [[False, True]]
    assert patch.mask(threshold=0.2).all()
    assert all(patch.at(r, c) == whole[r, c] for r in range(6) for c in range(7))


def _pixels(box: Box) -> set[tuple[int, int]]:
    rows = range(box.top, box.bottom)
    return {(row, column) for row in rows for column in range(box.left, box.right)}
