"""Image files: one plane out of any of them; labels come back as they went."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from napari_iseg.image_files import check_labels_path, read_image, write_labels

PLANE = np.arange(8 * 9, dtype=np.uint16).reshape(8, 9)
RGB = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Five slices of three channels."""
    pixels = np.arange(5 * 3 * 8 * 9, dtype=np.uint16).reshape(5, 3, 8, 9)
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "ZCYX"})
    return path


# ---------------------------------------------------------------------------- reading


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_a_tiff_of_one_plane_is_that_plane(tmp_path, compression, byteorder, bigtiff):
    path = tmp_path / "a.tiff"
    tifffile.imwrite(
        path, PLANE, compression=compression, byteorder=byteorder, bigtiff=bigtiff
    )

    image = read_image(path)

    assert image.shape == (8, 9)
    assert image.dtype.name == "uint16"
    assert (image == PLANE).all()


def test_an_uncompressed_tiff_is_read_where_it_is_used(stack: Path):
    image = read_image(stack, (2,), (1,))

    assert isinstance(read_image(stack, (2,)), np.memmap)
    assert image.shape == (8, 9, 1)
    assert image[0, 0, 0] == 2 * 3 * 72 + 72


def test_channels_of_a_stack_come_last(stack: Path):
    image = read_image(stack, [4])

    assert image.shape == (8, 9, 3)
    assert image[0, 1].tolist() == [4 * 216 + c * 72 + 1 for c in range(3)]


def test_the_opacity_of_a_tiff_is_no_channel(tmp_path: Path):
    path = tmp_path / "a.tif"
    rgba = np.dstack([RGB, np.full((8, 9), 255, np.uint8)])
    tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["unassalpha"])

    image = read_image(path)

    assert (image == RGB).all()


@pytest.mark.parametrize("ending", ["png", "bmp"])
def test_a_coloured_picture_has_red_first(tmp_path: Path, ending: str):
    path = tmp_path / f"a.{ending}"
    cv2.imwrite(str(path), RGB[..., ::-1])

    image = read_image(path)

    assert (image == RGB).all()


def test_a_picture_of_16_bits_keeps_them_and_one_with_opacity_loses_it(tmp_path: Path):
    deep, clear = tmp_path / "Zelle übergroß.png", tmp_path / "clear.png"
    deep.write_bytes(cv2.imencode(".png", PLANE * 900)[1].tobytes())
    cv2.imwrite(str(clear), np.dstack([RGB[..., ::-1], RGB[..., 0]]))

    assert (read_image(deep) == PLANE * 900).all()
    assert (read_image(clear) == RGB).all()


def test_a_jpeg_is_read(tmp_path: Path):
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), np.full((8, 9), 77, np.uint8))

    image = read_image(path)

    assert image.shape == (8, 9)
    assert abs(int(image[4, 4]) - 77) < 3


@pytest.mark.parametrize(
    ("shape", "plane", "expected"),
    [
        ((8, 9), (), (8, 9)),
        ((8, 9, 3), (), (8, 9, 3)),
        ((5, 8, 9), (2,), (8, 9)),
        ((5, 6, 8, 9), (2, 1), (8, 9)),
        ((5, 8, 9, 2), (2,), (8, 9, 2)),
    ],
)
def test_an_array_file_has_channels_last_if_they_are_few(
    tmp_path, shape, plane, expected
):
    path = tmp_path / "a.npy"
    pixels = np.random.default_rng(0).random(shape)
    np.save(path, pixels)

    image = read_image(path, plane)

    assert image.shape == expected
    assert (image == pixels[plane]).all()


def test_a_plane_of_a_stack_must_be_chosen(stack: Path):
    with pytest.raises(
        ValueError, match=r"shape \(5, 3, 8, 9\).*1 indices \(Z: 5\), got 0"
    ):
        read_image(stack)


def test_a_single_plane_leaves_nothing_to_choose(tmp_path: Path):
    path = tmp_path / "a.npy"
    np.save(path, PLANE)

    with pytest.raises(ValueError, match=r"0 indices \(it is one plane\), got 1"):
        read_image(path, (0,))
    with pytest.raises(ValueError, match="has no channels to choose from"):
        read_image(path, (), (0,))


@pytest.mark.parametrize("plane", [(5,), (-1,)])
def test_a_plane_that_is_not_there_is_named(stack: Path, plane: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"no plane \(-?\d,\) .* stay below \(5,\)"):
        read_image(stack, plane)


def test_a_channel_that_is_not_there_is_named(stack: Path):
    with pytest.raises(ValueError, match=r"no channel 3 in .*: it has 0 to 2"):
        read_image(stack, (0,), (1, 3))


def test_of_many_channels_some_must_be_chosen(tmp_path: Path):
    path = tmp_path / "a.tif"
    pixels = np.arange(6 * 8 * 9, dtype=np.uint16).reshape(6, 8, 9)
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "CYX"})

    with pytest.raises(ValueError, match="has 6 channels; choose up to three"):
        read_image(path)
    image = read_image(path, (), (5, 0))

    assert (image == np.moveaxis(pixels[[5, 0]], 0, -1)).all()


def test_a_missing_image_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no image at .*nowhere.tif"):
        read_image(tmp_path / "nowhere.tif")
    with pytest.raises(ValueError, match="there is no image at"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"II*\x00\xff\xff\xff\xff", b"\x93NUMPY"]
)
@pytest.mark.parametrize("ending", ["tif", "png", "jpg", "npy", "czi"])
def test_what_is_no_image_is_refused_in_one_sentence(tmp_path, content, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=f"a.{ending} cannot be read as an image: "):
        read_image(path)


def test_a_compressed_tiff_that_was_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8)
    tifffile.imwrite(path, noise, compression="zlib")
    path.write_bytes(path.read_bytes()[:-99])

    with pytest.raises(ValueError, match=r"a.tif cannot be read as an image: "):
        read_image(path)


@pytest.mark.parametrize(
    "pixels", [np.zeros(7), np.zeros((0, 4)), np.array([["a", "b"]])]
)
def test_arrays_that_are_no_images_are_refused(tmp_path: Path, pixels: np.ndarray):
    path = tmp_path / "a.npy"
    np.save(path, pixels)

    with pytest.raises(ValueError, match=r"a.npy holds .* of shape .*, not an image"):
        read_image(path)


# ---------------------------------------------------------------------------- writing


@pytest.mark.parametrize("ending", ["tif", "tiff", "png", "npy"])
def test_labels_come_back_as_they_went(tmp_path: Path, ending: str):
    labels = np.arange(72, dtype=np.int32).reshape(8, 9) * 900

    write_labels(tmp_path / f"a.{ending}", labels)

    assert (read_image(tmp_path / f"a.{ending}") == labels).all()


@pytest.mark.parametrize("ending", ["tif", "npy"])
def test_labels_beyond_16_bits_come_back_too(tmp_path: Path, ending: str):
    labels = np.full((4, 5), 70_000, np.int32)

    write_labels(tmp_path / f"a.{ending}", labels)

    assert (read_image(tmp_path / f"a.{ending}") == labels).all()


def test_a_png_that_cannot_hold_the_labels_is_not_written(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_text("what was there before")

    with pytest.raises(ValueError, match=r"labels up to 65535, not 70000; use .tif"):
        write_labels(path, np.full((4, 5), 70_000, np.int32))

    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "refuse", [check_labels_path, lambda p: write_labels(p, PLANE)]
)
def test_a_place_that_labels_cannot_go_to_is_named(tmp_path: Path, refuse):
    with pytest.raises(ValueError, match=r"labels as 'a.gif'; choose one of .tif"):
        refuse(tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        refuse(tmp_path / "nowhere" / "a.tif")
