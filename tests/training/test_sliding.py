"""Regions slide along the outline of the object between those that clicks give."""

from __future__ import annotations

import numpy as np

from napari_iseg.arrays import Box
from training.sliding import with_slid

TRUTH = np.zeros((64, 64), bool)
TRUTH[16:48, 16:48] = True  # an outline of 124 pixels


def middle(box: Box) -> tuple[float, float]:
    return (box.top + box.bottom) / 2, (box.left + box.right) / 2


def test_new_regions_lie_between_neighbours_on_the_shorter_path() -> None:
    """
    Given regions at the upper left and the upper right corner of a square,
    when they become five,
    then three new ones lie on its upper side, in equal steps, as large as they are.
    """
    pair = [Box(12, 12, 20, 20), Box(12, 44, 20, 52)]

    found = with_slid(pair, TRUTH, 5)

    assert found[:2] == pair
    assert [box.shape for box in found[2:]] == [(8, 8)] * 3
    assert {middle(box)[0] for box in found[2:]} == {16}
    columns = sorted(middle(box)[1] for box in found)
    assert np.allclose(np.diff(columns), 8, atol=1)


def test_a_region_without_a_neighbour_stays_alone() -> None:
    alone = [Box(0, 0, 64, 64)]

    assert with_slid(alone, TRUTH) == alone


def test_where_there_is_no_object_nothing_slides() -> None:
    pair = [Box(12, 12, 20, 20), Box(12, 44, 20, 52)]

    assert with_slid(pair, np.zeros_like(TRUTH)) == pair


def test_regions_that_clicks_give_are_all_kept() -> None:
    six = [Box(8 * n, 0, 8 * n + 8, 8) for n in range(6)]

    assert with_slid(six, TRUTH, 5) == six


def test_regions_stay_inside_the_image() -> None:
    truth = np.zeros((32, 32), bool)
    truth[:, :4] = True
    pair = [Box(0, 0, 12, 12), Box(20, 0, 32, 12)]

    for box in with_slid(pair, truth, 5):
        assert box.clipped_to((32, 32)) == box
        assert box.shape == (12, 12)
