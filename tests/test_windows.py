"""Windows of an image and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.clicks import Click
from napari_iseg.intensities import ScaledImage, Unscaled
from napari_iseg.windows import Reader, Window, back, resized, view


@given(
    row=st.integers(-50, 400),
    column=st.integers(-50, 400),
    extent=st.integers(1, 700),
    side=st.sampled_from([16, 128, 192]),
)
def test_the_middle_of_a_window_is_where_it_was_asked_for(
    row: int, column: int, extent: int, side: int
) -> None:
    window = Window.around(row, column, extent, side)

    at = window.point(Click(row, column))

    middle = (side - 1) / 2
    assert at[0] == pytest.approx(middle, abs=window.scale * 0.51)
    assert at[1] == pytest.approx(middle, abs=window.scale * 0.51)


def test_beyond_the_image_a_window_shows_the_mean_of_what_is_inside() -> None:
    image = np.zeros((20, 20), np.float32)
    image[:, :10] = 1

    shown = Reader(ScaledImage(image, Unscaled())).show(Window(-5, -5, 30, 30))

    assert shown[0, 0, 0] == pytest.approx(0.5)
    assert shown[10, 8, 0] == 1
    assert shown[10, 20, 0] == 0


@pytest.mark.parametrize("extent", [24, 48, 96, 150])
def test_a_disc_comes_back_from_its_window_where_it_was(extent: int) -> None:
    rows, columns = np.indices((200, 180))
    disc = ((rows - 90) ** 2 + (columns - 70) ** 2 < 10**2).astype(np.float32)
    window = Window.around(88, 73, extent, 96)

    seen = view(disc, (0, 0), window)
    returned, offset = back(seen, window, disc.shape)

    whole = np.zeros_like(disc)
    height, width = returned.shape
    whole[offset[0] : offset[0] + height, offset[1] : offset[1] + width] = returned
    both, either = (
        ((whole > 0.5) & (disc > 0.5)).sum(),
        ((whole > 0.5) | (disc > 0.5)).sum(),
    )
    assert both / either > 0.95


def test_a_click_and_its_pixel_meet_in_the_window() -> None:
    image = np.zeros((100, 100), np.float32)
    image[40, 60] = 1
    window = Window.around(50, 50, 50, 200)

    shown = Reader(ScaledImage(image, Unscaled())).show(window)[..., 0]
    row, column = window.point(Click(40, 60))

    brightest = np.argwhere(shown > 0.9 * shown.max()).mean(0)
    np.testing.assert_allclose((row, column), brightest, atol=0.6)


def test_a_very_wide_window_reads_a_part_of_the_pixels_only() -> None:
    class Counting:
        shape, dtype = (9000, 9000), np.dtype(np.uint8)
        pixels = 0

        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            part = np.zeros([len(range(*k.indices(9000))) for k in key], np.uint8)
            self.pixels += part.size
            return part

    image = Counting()

    Reader(ScaledImage(image)).show(Window.around(4500, 4500, 8000, 128))

    assert image.pixels < 500_000


def test_shrinking_averages() -> None:
    checkered = np.indices((64, 64)).sum(0).astype(np.float32) % 2

    np.testing.assert_allclose(resized(checkered, 32), 0.5)
