"""Images and label images as files: one plane out of any of them, labels into one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Labels, plane_of
from napari_iseg.atomic_files import written_whole

Image = NDArray[Any]  # (..., H, W) with at most one channel axis
_DAMAGED = (  # what readers raise on files that lie about themselves
    EOFError,
    IndexError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_image(
    path: str | Path, plane: Sequence[int] = (), channels: Sequence[int] | None = None
) -> Image:
    """One plane of an image file.

    Parameters
    ----------
    path
        TIFF (any number of axes; uncompressed ones are read where they are used),
        PNG, JPEG and what else OpenCV reads, or .npy.
    plane
        One index for each axis before rows and columns (time, z, ...).
    channels
        Which channels to keep; None keeps all, if there are at most three.

    Returns
    -------
    ``(H, W)`` or ``(H, W, C)``, in the number type of the file.

    Raises
    ------
    ValueError
        If the file is missing or no image, or a plane or channels must be chosen.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no image at {path}")
    read = _READERS.get(path.suffix.lower(), _read_picture)
    try:
        image, axes = read(path)
    except _DAMAGED as problem:
        raise ValueError(f"{path} cannot be read as an image: {problem}") from problem
    channel_axis = axes.index("C") if "C" in axes else None
    if 0 in image.shape or image.ndim < 2 or image.dtype.kind not in "buif":
        raise ValueError(
            f"{path} holds {image.dtype} of shape {image.shape}, not an image"
        )
    _check_plane(path, image, axes, plane)
    _check_channels(path, image, channel_axis, channels)
    chosen: Image = plane_of(image, plane, channels, channel_axis=channel_axis)
    return chosen


def write_labels(path: str | Path, labels: Labels) -> None:
    """Write a label image, whole or not at all.

    Parameters
    ----------
    path
        ``.tif`` (compressed; 16 bit if that is enough, else 32), ``.png`` (16 bit) or
        ``.npy``.
    labels
        ``(H, W)``, 0 is background.

    Raises
    ------
    ValueError
        If the folder or the format does not exist or cannot hold the labels.
    """
    path = Path(path)
    check_labels_path(path)
    with written_whole(path) as unfinished:
        _WRITERS[path.suffix.lower()](unfinished, labels)


def check_labels_path(path: Path) -> None:
    """Refuse now what ``write_labels`` would refuse after the work is done.

    Raises
    ------
    ValueError
        If the folder or the format does not exist.
    """
    if path.suffix.lower() not in _WRITERS:
        raise ValueError(
            f"cannot write labels as {path.name!r}; choose one of {', '.join(_WRITERS)}"
        )
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: there is no folder {path.parent}")


# Reading: each gives the array and a letter for each axis, "C" for channels


def _read_tiff(path: Path) -> tuple[Image, str]:
    import tifffile  # slow to import

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            axes = str(series.axes)
            at = series.dataoffset
            image: Image
            if at is None or not file.byteorder:
                image = series.asarray()
            else:
                kind = series.dtype.newbyteorder(file.byteorder)
                image = np.memmap(path, kind, "r", at, series.shape)
    except tifffile.TiffFileError as problem:
        raise ValueError(str(problem)) from problem
    if axes[-1] == "S":
        image = image[..., :3]  # without opacity
    letter = "S" if "S" in axes else "C"  # samples of a pixel, or channels
    return image, "".join("C" if a == letter else a.replace("C", "c") for a in axes)


def _read_array(path: Path) -> tuple[Image, str]:
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError("its content is no numpy array")
    image = np.load(path, mmap_mode="r", allow_pickle=False)
    return image, _guessed_axes(image)


def _read_picture(path: Path) -> tuple[Image, str]:
    import cv2  # slow to import

    content = np.fromfile(path, np.uint8)  # cv2.imread fails on some names on Windows
    decoded = None
    if content.size:
        decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("its content is of no known format")
    image: Image = np.asarray(decoded)
    if image.ndim == 3:
        image = image[..., 2::-1]  # blue, green, red (, opacity) as OpenCV has it
    return image, _guessed_axes(image)


def _guessed_axes(image: Image) -> str:
    has_channels = image.ndim > 2 and image.shape[-1] <= 4
    return "?" * (image.ndim - 1) + "C" if has_channels else "?" * image.ndim


_READERS: dict[str, Callable[[Path], tuple[Image, str]]] = {
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_array,
}


def _check_plane(path: Path, image: Image, axes: str, plane: Sequence[int]) -> None:
    spatial = [i for i, axis in enumerate(axes) if axis != "C"]
    leading = spatial[:-2]
    lengths = [image.shape[i] for i in leading]
    if len(plane) != len(leading):
        names = ", ".join(f"{axes[i].upper()}: {image.shape[i]}" for i in leading)
        raise ValueError(
            f"{path} holds an image of shape {image.shape}; to choose a plane takes "
            f"{len(leading)} indices ({names or 'it is one plane'}), got {len(plane)}"
        )
    for index, length in zip(plane, lengths, strict=True):
        if not 0 <= index < length:
            raise ValueError(
                f"there is no plane {tuple(plane)} in {path}: indices start at 0 and "
                f"stay below {tuple(lengths)}"
            )


def _check_channels(
    path: Path, image: Image, axis: int | None, channels: Sequence[int] | None
) -> None:
    there = 0 if axis is None else image.shape[axis]
    if channels is None and there > 3:
        raise ValueError(f"{path} has {there} channels; choose up to three of them")
    if channels is not None and (axis is None or not channels):
        raise ValueError(f"{path} has no channels to choose from")
    for channel in channels or ():
        if not 0 <= channel < there:
            raise ValueError(
                f"there is no channel {channel} in {path}: it has 0 to {there - 1}"
            )


# Writing


def _write_tiff(path: Path, labels: Labels) -> None:
    import tifffile  # slow to import

    fits = labels.size == 0 or labels.max() < 2**16
    stored = labels.astype(np.uint16 if fits else np.int32)
    tifffile.imwrite(path, stored, compression="zlib")


def _write_png(path: Path, labels: Labels) -> None:
    import cv2  # slow to import

    if labels.max(initial=0) >= 2**16:
        raise ValueError(
            f"a PNG holds labels up to 65535, not {labels.max()}; use .tif"
        )
    _, content = cv2.imencode(".png", labels.astype(np.uint16))
    path.write_bytes(content.tobytes())


def _write_array(path: Path, labels: Labels) -> None:
    np.save(path, labels.astype(np.int32))


_WRITERS: dict[str, Callable[[Path, Labels], None]] = {
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".png": _write_png,
    ".npy": _write_array,
}
