"""A whole image by a network, tile by tile: tiles leave no trace in the answer."""

from __future__ import annotations

from itertools import islice

import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from napari_iseg.intensities import GivenLimits, ScaledImage
from napari_iseg.nets.unet import UNet
from napari_iseg.refine.automatic import Tiled, mirrored, surroundings


class Bright(nn.Module):
    """Brighter than a half is cell, a little darker is border, the rest background."""

    def forward(self, image: Tensor) -> Tensor:
        grey = image[:, 0]
        border = torch.minimum(grey - 0.25, 0.5 - grey)
        return 100 * torch.stack([0.25 - grey, grey - 0.5, border], 1)


def unet() -> UNet:
    torch.manual_seed(0)
    return UNet(1 / 16, padded=True, normed=True).eval()


def cells(shape=(300, 420)) -> np.ndarray:
    """Bright discs with a darker rim, on black, every 60 pixels."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    away = np.hypot(rows % 60 - 30, columns % 60 - 30)
    return np.select([away < 15, away < 18], [200, 90], 0).astype(np.uint8)


def maps(tiled: Tiled, image: np.ndarray) -> np.ndarray:
    """What the network says everywhere, cell above border."""
    scaled = ScaledImage(image, GivenLimits(0, 255))
    found = np.full((2, *scaled.grid), np.nan, np.float32)
    for tile in tiled.tiles(scaled):
        found[:, *tile.slices] = tiled.looked_at(scaled, tile)
    return found


def test_every_cell_of_an_image_of_many_tiles_gets_one_number():
    """Given 35 cells, many of them across the edges of tiles,
    when the image is segmented in small tiles and in one,
    then there are 35 objects, the same ones."""
    image = cells()

    small, one = (Tiled(Bright(), side=side).segment(image) for side in (64, 512))

    assert small.max() == 35
    assert np.array_equal(small, one)
    assert np.mean((small > 0) == (image > 0)) > 0.99


def test_tiles_do_not_change_what_a_unet_says():
    """Given a U-Net, whose every pixel depends on those 92 pixels away,
    when an image that is no multiple of anything is seen in tiles or all at once,
    then the probabilities differ by no more than the noise of floats."""
    image = np.random.default_rng(0).integers(0, 256, (203, 331), np.uint8)
    net = unet()

    whole = maps(Tiled(net, side=512), image)

    for side in (64, 112):
        assert np.abs(maps(Tiled(net, side=side), image) - whole).max() < 1e-5
    assert whole.std() > 1e-3  # it does say something


def test_a_margin_that_is_too_small_would_leave_seams():
    """The law above is no accident of a network that looks at single pixels."""
    image = np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8)
    net = unet()

    whole = maps(Tiled(net, side=128), image)
    seams = maps(Tiled(net, side=64, margin=16), image)

    assert np.abs(seams - whole).max() > 1e-3


def test_beyond_its_border_an_image_goes_on_as_its_mirror_image():
    assert mirrored(0, 3, 2, 3)[:7].tolist() == [1, 0, 0, 1, 2, 2, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(0, 60), st.integers(1, 60))
def test_the_surroundings_of_a_tile_are_a_part_of_the_mirrored_image(
    length, start, size
):
    start = min(start, length - 1)
    tile_end = min(length, start + size)
    line = np.arange(length)
    around = np.pad(line, 200, mode="symmetric")

    seen = mirrored(start, tile_end, 32, length)

    assert np.array_equal(seen, around[200 + start - 32 :][: len(seen)])
    assert len(seen) % 16 == 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (37, 5)])
def test_images_of_any_shape_are_segmented(shape):
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)

    assert Tiled(Bright(), side=64).segment(image).shape == shape


def test_one_tile_is_read_at_a_time():
    """Given an image in chunks, on disk,
    when it is segmented,
    then it is never read as a whole, and the answer is that of the array."""
    image = cells()
    chunks: list[int] = []

    class Watched:
        shape, dtype = image.shape, image.dtype

        def __getitem__(self, index):
            part = image[index]
            chunks.append(part.size)
            return part

    tiled = Tiled(Bright(), side=64)

    assert np.array_equal(tiled.segment(Watched()), tiled.segment(image))
    assert max(chunks[1:]) <= (64 + 2 * 96) ** 2  # the first is a sample for contrast


@pytest.mark.parametrize("kind", ["dask", "zarr", "colour", "sixteen bits"])
def test_every_kind_of_image_is_segmented_alike(kind, tmp_path):
    image = cells((128, 200))
    kinds = {
        "dask": lambda: da.from_array(image, chunks=50),
        "zarr": lambda: zarr.array(image, chunks=(50, 50)),
        "colour": lambda: np.dstack([image] * 3),
        "sixteen bits": lambda: image.astype(">u2") * 256,
    }
    tiled = Tiled(Bright(), side=64)

    assert np.array_equal(tiled.segment(kinds[kind]()), tiled.segment(image))


def test_whoever_asks_for_no_further_part_has_cancelled():
    """Given an image of 35 tiles,
    when two parts were asked for,
    then two tiles were looked at, and the user knows how much is left."""
    looked: list[int] = []

    class Counted(Bright):
        def forward(self, image: Tensor) -> Tensor:
            looked.append(1)
            return super().forward(image)

    parts = Tiled(Counted(), side=64).parts(cells())
    assert looked == []

    news = list(islice(parts, 2))

    assert len(looked) == 2
    assert [(one.done, one.total) for one in news] == [(1, 36), (2, 36)]
    assert all(one.labels is None for one in news)


def test_an_image_without_contrast_has_no_object():
    assert not Tiled(Bright()).segment(np.full((40, 50), 7, np.uint8)).any()


def test_a_dim_tile_has_the_contrast_of_the_image():
    """Given noise in one corner and bright cells elsewhere,
    when the corner is a tile of its own,
    then its noise does not become cells."""
    image = cells((128, 256)).astype(np.float32)
    image[:64, :64] = np.random.default_rng(0).normal(5, 2, (64, 64))

    labels = Tiled(Bright(), side=64).segment(image)

    assert not labels[:60, :60].any()


@pytest.mark.parametrize(
    ("settings_", "name"), [({"side": 100}, "side"), ({"margin": 8}, "margin")]
)
def test_tiles_that_do_not_fit_the_network_are_refused(settings_, name):
    with pytest.raises(ValueError, match=f"the {name} of a tile must be a multiple"):
        Tiled(Bright(), **settings_)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="expected an image of shape"):
        Tiled(Bright()).segment(np.zeros((2, 3, 4, 5)))


def test_surroundings_of_a_whole_image_are_multiples_of_sixteen():
    image = ScaledImage(cells((50, 70)))
    (tile,) = Tiled(Bright()).tiles(image)

    assert surroundings(image, tile, 96).shape == (64 + 192, 80 + 192, 3)
