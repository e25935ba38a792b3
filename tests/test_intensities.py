"""Grey values of any camera."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_iseg.arrays import Box
from napari_iseg.intensities import (
    DtypeRange,
    GivenLimits,
    Intensities,
    Percentiles,
    ScaledImage,
    Unscaled,
)

RAMP = np.linspace(0, 1, 64 * 64).reshape(64, 64)
WHOLE = Box(0, 0, 64, 64)


@pytest.mark.parametrize(
    "image",
    [
        (RAMP * 255).astype(np.uint8),
        (RAMP * 60000).astype(np.uint16),
        (RAMP * 60000).astype(">u2"),
        (RAMP * 1e9 - 5e8).astype(np.int64),
        RAMP.astype(np.float32),
        RAMP.astype(">f8"),
        np.asfortranarray(RAMP),
        np.repeat(RAMP, 2, 1)[:, ::2],
        da.from_array(RAMP, chunks=16),
    ],
    ids=lambda image: f"{type(image).__name__}-{image.dtype}",
)
def test_every_kind_of_number_gives_the_same_picture(image: np.ndarray) -> None:
    shown = ScaledImage(image).read(WHOLE)

    assert shown.dtype == np.float32
    assert shown.shape == (64, 64, 3)
    np.testing.assert_allclose(shown[..., 0], RAMP, atol=0.02)


def test_true_and_false_are_white_and_black() -> None:
    shown = ScaledImage(RAMP > 0.5).read(WHOLE)

    assert set(np.unique(shown)) == {0, 1}


def test_missing_and_infinite_values_take_the_limits() -> None:
    image = RAMP.astype(np.float32)
    image[10, 10], image[20, 20], image[30, 30] = np.nan, np.inf, -np.inf

    shown = ScaledImage(image).read(WHOLE)

    assert np.isfinite(shown).all()
    assert shown[10, 10, 0] == shown[30, 30, 0] == 0
    assert shown[20, 20, 0] == 1


def test_nothing_but_missing_values_is_black() -> None:
    assert (ScaledImage(np.full((9, 9), np.nan)).read(Box(0, 0, 9, 9)) == 0).all()


def test_one_bright_pixel_in_a_black_field_is_still_seen() -> None:
    image = np.zeros((64, 64), np.uint16)
    image[5, 5] = 900

    assert ScaledImage(image).read(WHOLE)[5, 5, 0] == 1


def test_only_the_window_of_a_lazy_image_is_read() -> None:
    touched = []

    def block(block_info: dict) -> np.ndarray:  # type: ignore[type-arg]
        touched.append(block_info[None]["chunk-location"])
        return np.random.default_rng(0).random((100, 100))

    lazy = da.map_blocks(block, chunks=((100,) * 50, (100,) * 50), dtype=float)
    touched.clear()

    ScaledImage(lazy).read(Box(120, 250, 180, 290))

    assert set(touched) == {(1, 2)}


def test_colours_keep_their_balance_and_alpha_is_dropped() -> None:
    image = np.dstack([RAMP, RAMP / 2, RAMP / 4, np.ones_like(RAMP)])

    shown = ScaledImage(image).read(WHOLE)

    np.testing.assert_allclose(shown[40, 40, 1], shown[40, 40, 0] / 2, atol=0.01)


def test_chosen_channels_each_get_their_own_contrast() -> None:
    image = np.dstack([RAMP, RAMP * 1000, RAMP * 0, RAMP, RAMP])

    shown = ScaledImage(image, channels=(1, 4)).read(WHOLE)

    np.testing.assert_allclose(shown[..., 0], shown[..., 1], atol=1e-4)


@pytest.mark.parametrize(
    ("intensities", "expected"),
    [
        (Percentiles(), 1),
        (GivenLimits(0, 200), 0.5),
        (DtypeRange(), 100 / 255),
        (Unscaled(), 1.2),
    ],
    ids=repr,
)
def test_the_user_chooses_what_is_white(
    intensities: Intensities, expected: float
) -> None:
    image = np.full((8, 8), 100, np.uint8)
    image[:5] = 0
    image[0, :2] = 1

    shown = ScaledImage(image, intensities).read(Box(0, 0, 8, 8))

    assert shown[7, 7, 0] == pytest.approx(expected, abs=0.01)


def test_limits_of_a_volume_are_found_from_a_sample() -> None:
    volume = np.random.default_rng(0).normal(500, 20, (20, 300, 300))

    limits = GivenLimits.of(volume)

    assert limits.low == pytest.approx(500 - 3.09 * 20, abs=8)
    assert limits.high == pytest.approx(500 + 3.09 * 20, abs=8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaledImage(np.zeros(5)), r"expected an image of shape .* got \(5,\)"),
        (lambda: ScaledImage(np.zeros((0, 5))), "at least one pixel"),
        (lambda: ScaledImage(np.zeros((5, 5, 9))), "9 channels; choose up to three"),
        (
            lambda: ScaledImage(np.zeros((5, 5, 9)), channels=(9,)),
            r"0 to 8, got \(9,\)",
        ),
        (lambda: ScaledImage(np.zeros((5, 5), complex)), "real numbers.*complex"),
        (lambda: ScaledImage(np.full((5, 5), "a")), "real numbers, got .*U1"),
        (lambda: Percentiles(50, 10), "0 <= low < high <= 100, got 50 and 10"),
        (lambda: GivenLimits(3, 3), "low < high, got 3 and 3"),
        (lambda: GivenLimits(0, np.inf), "must be finite"),
        (lambda: GivenLimits.of(np.zeros((9, 9))), "without contrast"),
    ],
)
def test_bad_images_and_limits_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
