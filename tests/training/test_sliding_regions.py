"""Regions for training lie where clicks are, and between them on the outline."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.arrays import Box
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers.click_regions import regions_of
from training.sliding_regions import outline_of, slid, training_regions

ROWS, COLUMNS = np.indices((100, 120))
DISC = (ROWS - 50) ** 2 + (COLUMNS - 60) ** 2 <= 30**2
LEFT_RIGHT = Clicks.at([(50, 35), (50, 85)], [(50, 20), (50, 100)])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def middle(box: Box) -> tuple[float, float]:
    return (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2


def test_there_are_always_as_many_as_training_wants(rng) -> None:
    many = Clicks.at([(50, 40 + 3 * n) for n in range(9)], [(5, 5), (95, 110)])

    for clicks in (LEFT_RIGHT, many, many.prefix(9), many.prefix(0)):
        assert len(training_regions(clicks, DISC, rng)) == 5


def test_regions_between_clicks_come_first(rng) -> None:
    found = training_regions(LEFT_RIGHT, DISC, rng)

    assert found[:2] == regions_of(LEFT_RIGHT, DISC.shape)


def test_more_regions_lie_on_the_outline_apart_from_each_other(rng) -> None:
    more = training_regions(LEFT_RIGHT, DISC, rng)[2:]

    middles = np.array([middle(box) for box in more])
    away = np.hypot(*(middles - (50, 60)).T)
    np.testing.assert_allclose(away, 30, atol=1.5)
    gaps = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    assert gaps[~np.eye(3, dtype=bool)].min() > 15


def test_they_are_as_large_as_the_one_that_was_slid(rng) -> None:
    given, more = np.split(np.array(training_regions(LEFT_RIGHT, DISC, rng)), [2])

    sides = {max(box.shape) for box in given}
    assert all(box.shape[0] == box.shape[1] and box.shape[0] in sides for box in more)


def test_they_keep_to_the_shorter_way_between_neighbours() -> None:
    """Two pairs of clicks near the top: nobody asked about the bottom."""
    top = Clicks.at([(28, 45), (28, 75)], [(15, 40), (15, 80)])

    more = slid(regions_of(top, DISC.shape), DISC, 3)

    assert all(middle(box)[0] < 45 for box in more)


def test_one_pair_of_clicks_is_seen_five_times(rng) -> None:
    clicks = Clicks.at([(50, 35)], [(50, 20)])

    assert training_regions(clicks, DISC, rng) == regions_of(clicks, DISC.shape) * 5


def test_too_many_pairs_are_drawn_from(rng) -> None:
    many = Clicks.at([(50, 40 + 3 * n) for n in range(9)], [(5, 5), (95, 110)])

    found = [training_regions(many, DISC, rng) for _ in range(5)]

    assert all(set(one) <= set(regions_of(many, DISC.shape)) for one in found)
    assert len({tuple(one) for one in found}) > 1


def test_an_object_of_a_pixel_has_no_way_around_it(rng) -> None:
    dot = np.zeros_like(DISC)
    dot[50, 60] = True

    found = training_regions(LEFT_RIGHT, dot, rng)

    assert set(found) == set(regions_of(LEFT_RIGHT, DISC.shape))


def test_no_object_at_all_has_no_outline(rng) -> None:
    nothing = np.zeros_like(DISC)

    assert len(outline_of(nothing)) == 0
    assert len(training_regions(LEFT_RIGHT, nothing, rng)) == 5


def test_regions_stay_inside_the_image(rng) -> None:
    cut = DISC[25:, 35:]
    clicks = Clicks.at([(3, 3), (50, 30)], [(60, 60), (74, 84)])

    for box in training_regions(clicks, cut, rng):
        assert box == box.clipped_to(cut.shape)
