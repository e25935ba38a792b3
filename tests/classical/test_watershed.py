"""Threshold and watershed: every cell of an image without a click."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.catalog import AUTOMATIC, load_automatic
from napari_iseg.classical.watershed import Watershed

CENTRES = [(20, 20), (20, 60), (64, 30), (70, 74)]


def disks(centres, radius: float = 10, size: int = 96) -> np.ndarray:
    rows, columns = np.ogrid[:size, :size]
    distances = [(rows - r) ** 2 + (columns - c) ** 2 for r, c in centres]
    return np.min(distances, axis=0) <= radius**2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_each_bright_disk_is_one_object(dtype):
    image = (disks(CENTRES) * 180 + 20).astype(dtype)

    labels = Watershed().segment(image)

    assert labels.dtype == np.int32
    assert [labels[place] for place in CENTRES] == [1, 2, 3, 4]
    assert labels.max() == 4
    assert np.mean((labels > 0) == disks(CENTRES)) > 0.98


def test_dark_cells_on_white_are_objects_too():
    white = np.full((96, 96, 3), 240, np.uint8)
    white[disks(CENTRES)] = (120, 40, 130)

    labels = Watershed().segment(white)

    assert labels.max() == 4


def test_two_cells_that_touch_are_two_objects():
    touching = disks([(48, 38), (48, 56)]) * 1.0

    labels = Watershed().segment(touching)

    assert labels[48, 38] != labels[48, 56]
    assert labels.max() == 2


def test_noise_and_dust_are_no_objects():
    rng = np.random.default_rng(0)
    image = disks(CENTRES) * 100.0 + rng.normal(50, 10, (96, 96))
    image[3:6, 88:91] = 150

    labels = Watershed().segment(image)

    assert labels.max() == 4


@pytest.mark.parametrize("value", [0, 7, np.nan])
def test_an_image_without_contrast_has_no_object(value: float):
    assert Watershed().segment(np.full((20, 30), value, np.float32)).max() == 0


def test_broken_pixels_do_no_harm():
    image = disks(CENTRES).astype(np.float32)
    image[0, :5] = np.nan
    image[1, :5] = np.inf

    assert Watershed().segment(image).max() >= 4


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**16))
def test_labels_count_up_from_one_whatever_the_image(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 255, (height, width), np.uint8)

    labels = Watershed(smallest_area=1).segment(image)

    assert labels.shape == image.shape
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max() + 1))


def test_a_stack_is_refused():
    with pytest.raises(ValueError, match="expected an image of shape"):
        Watershed().segment(np.zeros((2, 3, 4, 5)))


def test_the_catalogue_offers_it_without_weights():
    assert isinstance(load_automatic("watershed", device="cpu"), Watershed)
    assert AUTOMATIC["watershed"].card is None
    with pytest.raises(ValueError, match="did you mean 'watershed'"):
        load_automatic("watersheds")
    with pytest.raises(ValueError, match="has no weights"):
        load_automatic("watershed", weights="mine.safetensors")
