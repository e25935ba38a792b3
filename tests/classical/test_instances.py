"""Cells that touch are told apart by the border that a network sees between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_iseg.classical.instances import Instances


def maps(*cells: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """Certain cells, each with a ring of border two pixels wide around its inside."""
    cell, border = (np.zeros((40, 60), np.float32) for _ in range(2))
    for rows, columns in cells:
        border[rows, columns] = 1
        inner = (slice(one.start + 2, one.stop - 2) for one in (rows, columns))
        cell[*inner] = 1
    border[cell > 0] = 0
    return cell, border


def test_two_cells_with_a_border_between_them_are_two_objects():
    """Given two cells side by side, their rings of border touching,
    when they are numbered,
    then each has its own number, and its border belongs to it."""
    cell, border = maps((slice(5, 25), slice(5, 25)), (slice(5, 25), slice(25, 45)))

    labels = Instances().of(cell, border)

    assert labels.dtype == np.int32
    assert (labels[5:25, 5:25] == 1).mean() > 0.95
    assert (labels[5:25, 25:45] == 2).mean() > 0.95
    assert np.array_equal(labels > 0, cell + border > 0)


def test_one_cell_without_a_border_inside_is_one_object():
    cell, border = maps((slice(5, 25), slice(5, 45)))

    assert Instances().of(cell, border).max() == 1


def test_a_cell_whose_inside_is_one_certain_pixel_is_an_object():
    cell, border = np.zeros((20, 20)), np.zeros((20, 20))
    border[4:12, 4:12] = 0.95
    cell[8, 8], border[8, 8] = 0.95, 0

    assert (Instances().of(cell, border) == 1).sum() == 64


def test_a_seed_of_a_few_pixels_does_not_split_a_cell():
    cell, border = maps((slice(5, 25), slice(5, 45)))
    border[5:25, 20:23], cell[5:25, 20:23] = 1, 0
    cell[5:25, 23:45], border[5:25, 23:45] = 0, 1
    cell[14:16, 30:32], border[14:16, 30:32] = 1, 0

    assert Instances().of(cell, border).max() == 1


def test_dust_is_no_object():
    cell, border = maps((slice(5, 25), slice(5, 25)))
    cell[30:33, 50:53] = 1

    assert Instances().of(cell, border).max() == 1
    assert Instances(smallest_area=1).of(cell, border).max() == 2


def test_what_is_a_cell_nowhere_for_certain_is_debris():
    """Given two shapes, one of which the network is sure of at a single pixel,
    when they are numbered,
    then that one is a cell, with all its pixels, and the other is none."""
    cell, border = maps((slice(5, 25), slice(5, 20)), (slice(5, 25), slice(30, 45)))
    cell, border = 0.7 * cell, 0.7 * border
    cell[15, 12] = 0.99

    labels = Instances().of(cell, border)

    assert (labels[5:25, 5:20] == 1).all()
    assert not labels[:, 25:].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_nothing_has_no_object(shape):
    assert not Instances().of(np.zeros(shape), np.zeros(shape)).any()


probabilities = arrays(np.float32, (12, 14), elements=st.floats(0, 0.5, width=32))


@settings(max_examples=50, deadline=None)
@given(probabilities, probabilities)
def test_every_object_is_foreground_and_all_numbers_are_used(cell, border):
    rules = Instances(certain=-1, smallest_seed=1, smallest_area=1)

    labels = rules.of(cell, border)

    assert np.array_equal(labels > 0, cell + border > rules.foreground)
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max() + 1))
