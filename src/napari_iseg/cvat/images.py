"""Image files as CVAT hands them over: original bytes, in base64."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from napari_iseg.cvat.problems import (
    MalformedRequestError,
    RequestError,
    TooLargeRequestError,
)
from napari_iseg.cvat.requests import EncodedImage

Pixels = NDArray[Any]  # (H, W) or (H, W, 3)
MOST_PIXELS = 100_000_000
# No others: the reader of EPS, for one, starts another program.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM", "JPEG2000")
_DEEP = {"I", "F", "I;16", "I;16B", "I;16L", "I;16N"}  # more than 8 bits, one channel
_GREY = {"1", "L", "LA", "La"}
_LIFTING = Lock()


def decoded(image: EncodedImage, most_pixels: int = MOST_PIXELS) -> Pixels:
    """The pixels that CVAT's user sees, in the number type of the file.

    Returns
    -------
    ``(H, W)`` or ``(H, W, 3)``, upright; more than 8 bits stay, opacity goes, palettes
    and CMYK become RGB.

    Raises
    ------
    MalformedRequestError
        If it is no base64, no image, or damaged.
    TooLargeRequestError
        If it has more than ``most_pixels`` pixels: found before they are decoded.
    """
    try:
        content = b64decode(image.base64, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise MalformedRequestError(f"the image is no base64: {problem}") from problem
    return pixels_of(content, most_pixels)


def pixels_of(content: bytes, most_pixels: int = MOST_PIXELS) -> Pixels:
    """The same for the bytes of a file."""
    Image.init()  # every reader; else those of rare formats are not known by name
    try:
        with _without_pillows_limit(), Image.open(BytesIO(content), "r", FORMATS) as it:
            _check_size(it.size, most_pixels)
            return _upright(it, content)
    except RequestError:
        raise
    except MemoryError as problem:
        raise TooLargeRequestError(
            "there is no memory to decode the image"
        ) from problem
    except Exception as problem:  # damaged files make decoders raise anything
        kind = type(problem).__name__
        raise MalformedRequestError(
            f"{len(content)} bytes are no image that can be read: {kind}: {problem}"
        ) from problem


def array_of(image: Image.Image) -> Pixels:
    """A Pillow image as pixels, see ``decoded``; it is upright already."""
    if image.mode in _DEEP:
        return _native(np.asarray(image))
    if image.mode in _GREY:
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def _upright(image: Image.Image, content: bytes) -> Pixels:
    if _loses_depth(image):
        return _deep_colours(image, content)
    return array_of(ImageOps.exif_transpose(image))


def _loses_depth(image: Image.Image) -> bool:
    """Whether Pillow would halve the bits: it knows colours of 8 bits only."""
    parts = [str(part[3]) for part in getattr(image, "tile", [])]
    return image.mode in {"RGB", "RGBA", "LA"} and any("16" in part for part in parts)


def _deep_colours(image: Image.Image, content: bytes) -> Pixels:
    import cv2  # slow to import

    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.shape[:2] not in {image.size, image.size[::-1]}:
        return array_of(ImageOps.exif_transpose(image))
    # OpenCV has turned it upright; blue comes first there.
    pixels = np.asarray(found)
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])


def _native(pixels: Pixels) -> Pixels:
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _check_size(size: tuple[int, int], most_pixels: int) -> None:
    width, height = size
    if width * height > most_pixels:
        raise TooLargeRequestError(
            f"an image of {width} x {height} pixels has more than {most_pixels}; "
            "raise ISEG_MAX_PIXELS or set a region of interest in CVAT"
        )
    if 0 in size:
        raise MalformedRequestError("the image has no pixel")


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Pillow only warns up to twice its limit; ``_check_size`` is stricter."""
    with _LIFTING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
