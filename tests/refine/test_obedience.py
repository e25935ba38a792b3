"""Every clicked pixel carries its label."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.obedience import obeying
from napari_iseg.segmenter import Patch

GRID = (40, 50)
clicks_on_different_pixels = st.lists(
    st.builds(Click, st.integers(0, 39), st.integers(0, 49), st.booleans()),
    max_size=8,
    unique_by=lambda click: (click.row, click.column),
).map(lambda items: Clicks(tuple(items)))


def disc_patch() -> Patch:
    rows, columns = np.indices((20, 20))
    away = np.hypot(rows - 10, columns - 10)
    return Patch((1 / (1 + np.exp(away - 6))).astype(np.float32), (10, 15))


@given(clicks=clicks_on_different_pixels)
def test_whatever_the_clicks_each_pixel_carries_its_label(clicks: Clicks) -> None:
    patch = obeying(disc_patch(), clicks, GRID)

    assert all((patch.at(c.row, c.column) > 0.5) == c.is_positive for c in clicks)


@given(clicks=clicks_on_different_pixels)
def test_probabilities_stay_probabilities_inside_the_image(clicks: Clicks) -> None:
    patch = obeying(disc_patch(), clicks, GRID)

    assert patch.probability.dtype == np.float32
    assert 0 <= patch.probability.min() <= patch.probability.max() <= 1
    assert patch.box.clipped_to(GRID) == patch.box


def test_satisfied_clicks_change_nothing() -> None:
    patch = disc_patch()

    same = obeying(patch, Clicks.at(positive=[(20, 25)], negative=[(0, 0)]), GRID)

    assert same is patch


def test_the_correction_is_local() -> None:
    patch = disc_patch()

    corrected = obeying(patch, Clicks.at(negative=[(20, 25)]), GRID)

    changed = np.argwhere(corrected.probability != patch.probability)
    assert np.hypot(*(changed - 10).T).max() <= 6


def test_of_two_clicks_on_one_pixel_the_later_one_wins() -> None:
    clicks = Clicks((Click(20, 25, is_positive=False), Click(20, 25)))

    assert obeying(disc_patch(), clicks, GRID).at(20, 25) > 0.5
