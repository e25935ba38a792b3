"""Images as CVAT hands them over: every kind of file becomes what its user sees."""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

from napari_iseg.cvat.images import decoded, pixels_of
from napari_iseg.cvat.problems import MalformedRequestError, TooLargeRequestError
from napari_iseg.cvat.requests import EncodedImage

RAMP = np.linspace(0, 4095, 12 * 20).reshape(12, 20)


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_stay_sixteen_bits(kind: str):
    ramp = RAMP.astype(np.uint16)

    pixels = pixels_of(file_of(Image.fromarray(ramp), kind))

    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, ramp)


def test_colours_of_sixteen_bits_stay_so_too():
    import cv2

    ramp = np.stack([RAMP, RAMP * 2, RAMP * 3], -1).astype(np.uint16)
    _, content = cv2.imencode(".png", ramp[..., ::-1])

    pixels = pixels_of(content.tobytes())

    assert np.array_equal(pixels, ramp)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "F", "I", "I;16", "I;16B"])
def test_grey_of_any_depth_is_one_channel(mode: str):
    grey = Image.fromarray(RAMP.astype(np.uint16))
    kind = "PNG" if mode in {"1", "L", "LA"} else "TIFF"
    if mode == "I;16B":
        image = Image.frombytes(mode, (20, 12), RAMP.astype(">u2").tobytes())
    elif mode in {"1", "L", "LA"}:
        image = Image.fromarray((RAMP / 16).astype(np.uint8)).convert(mode)
    else:
        image = grey.convert(mode) if mode != "I;16" else grey

    pixels = pixels_of(file_of(image, kind))

    assert pixels.shape == (12, 20)
    assert pixels.dtype.isnative
    assert pixels[0, 0] < pixels[-1, -1]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "TIFF")],
)
def test_colours_come_as_red_green_blue(mode: str, kind: str):
    red = Image.new("RGB", (6, 4), (255, 0, 0)).convert(mode)

    pixels = pixels_of(file_of(red, kind))

    assert pixels.shape == (4, 6, 3)
    assert np.allclose(pixels, (255, 0, 0), atol=3)


def test_a_camera_held_sideways_gives_an_upright_image():
    grey = Image.fromarray(np.repeat([[0, 255]], 8, 0).astype(np.uint8).repeat(8, 1))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees

    pixels = pixels_of(file_of(grey, "JPEG", exif=exif))

    assert pixels.shape == (16, 8)
    assert pixels[0].mean() < 5
    assert pixels[-1].mean() > 250


def _huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(TooLargeRequestError, match="60000 x 60000 pixels has more"):
        pixels_of(_huge_png(60_000, 60_000))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        _huge_png(50, 50)[:45],
        _huge_png(500, 500),  # its data end too early
        file_of(Image.new("L", (64, 64)), "JPEG")[:200],
    ],
)
def test_what_is_no_image_is_refused(content: bytes):
    with pytest.raises(MalformedRequestError, match="are no image that can be read"):
        pixels_of(content)


@pytest.mark.parametrize("text", ["AAA", "not base64!", "é", "\udc80"])
def test_what_is_no_base64_is_refused(text: str):
    with pytest.raises(MalformedRequestError, match="is no base64"):
        decoded(EncodedImage(text))


def test_a_limit_of_pixels_can_be_chosen():
    small = EncodedImage(b64encode(file_of(Image.new("L", (20, 10)))).decode())

    assert decoded(small, 200).shape == (10, 20)
    with pytest.raises(TooLargeRequestError, match="raise ISEG_MAX_PIXELS"):
        decoded(small, 199)
