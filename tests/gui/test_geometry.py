"""Pixels and the world, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_iseg.gui.geometry import pixel_at, placement_of, put_on, world_of
from napari_iseg.gui.planes import PlaneIndex

PLACES = {
    "plain": {},
    "scaled": {"scale": (3, 0.5, 0.25)},
    "moved": {"translate": (5, -100, 7)},
    "turned": {"rotate": [[1, 0, 0], [0, 0.8, 0.6], [0, -0.6, 0.8]]},
    "sheared": {"shear": (0, 0, 0.4), "scale": (1, 2, 2)},
    "affine": {
        "affine": [[1, 0, 0, 2], [0, 0.9, 0.4, 3], [0, -0.4, 0.9, 4], [0, 0, 0, 1]],
        "scale": (2, 0.3, 0.6),
        "translate": (1, 2, 3),
    },
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_pixel_to_world_and_back_is_the_same_pixel(place):
    layer = Image(np.zeros((4, 30, 40)), **place)
    plane = PlaneIndex((2, None, None))

    for pixel in [(0, 0), (29, 39), (13, 7)]:
        assert pixel_at(layer, world_of(layer, pixel, plane), plane) == pixel


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_cropped_layer_lies_on_the_pixels_it_was_cropped_from(place):
    layer = Image(np.zeros((4, 30, 40)), **place)
    crop = Labels(np.zeros((1, 5, 6), int))

    put_on(crop, placement_of(layer, (2, 10, 20)))

    for pixel in [(0, 0, 0), (0, 4, 5)]:
        there = crop.data_to_world(pixel)
        assert np.allclose(there, layer.data_to_world(np.add(pixel, (2, 10, 20))))


def test_a_click_anywhere_on_a_pixel_is_that_pixel():
    layer = Image(np.zeros((30, 40)), scale=(2, 2))
    plane = PlaneIndex((None, None))

    assert pixel_at(layer, (5.1, 6.9), plane) == (3, 3)
    assert pixel_at(layer, (4.9, 7.1), plane) == (2, 4)


def test_one_thick_pixel_covers_every_channel():
    layer = Image(np.zeros((3, 8, 8)), scale=(2, 1, 1))
    flat = Labels(np.zeros((1, 8, 8), int))

    put_on(flat, placement_of(layer, None, (0, 3)))

    for channel in range(3):
        world = layer.data_to_world((channel, 0, 0))
        assert round(flat.world_to_data(world)[0]) == 0
