"""Grey values of any camera as numbers around 0..1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Grid, ImageLike, Plane, image_grid

Values: TypeAlias = NDArray[np.float32]
SAMPLED = 2**16  # pixels looked at to find percentiles of a plane or volume
GLANCED = 2**14  # the same for a window: done several times for each click


class Intensities(Protocol):
    """Where 0 and 1 lie on the scale of the image's grey values."""

    def limits(self, values: Values, dtype: np.dtype[Any]) -> tuple[float, float]:
        """Low and high for ``values``, the finite ones of the region that is read."""
        ...


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of the region that is read: each window has its own contrast.

    A dim cell beside a bright one stays visible, and nothing but the window is read.
    For percentiles of a whole plane or volume see ``GivenLimits.of``.
    """

    low: float = 0.1
    high: float = 99.9

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(
                "percentiles must satisfy 0 <= low < high <= 100, got "
                f"{self.low} and {self.high}"
            )

    def limits(self, values: Values, dtype: np.dtype[Any]) -> tuple[float, float]:  # noqa: ARG002 - the data decide, not their type
        step = max(1, values.size // GLANCED)
        low, high = np.percentile(values.ravel()[::step], (self.low, self.high))
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class GivenLimits:
    """Limits chosen by hand, by the viewer's contrast or from a whole plane."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise ValueError(
                f"limits must be finite and low < high, got {self.low} and {self.high}"
            )

    @classmethod
    def of(cls, array: ImageLike, low: float = 0.1, high: float = 99.9) -> GivenLimits:
        """Percentiles of a plane or a volume, from an even sample of its pixels.

        Raises
        ------
        ValueError
            If the array is constant or holds no finite value.
        """
        step = max(1, int((np.prod(array.shape) / SAMPLED) ** (1 / len(array.shape))))
        sample = np.asarray(array[(slice(None, None, step),) * len(array.shape)])
        values = sample[np.isfinite(sample)].astype(np.float64)
        if values.size == 0 or values.min() == values.max():
            raise ValueError(
                f"an array of shape {tuple(array.shape)} without contrast has no "
                "percentiles; give the limits"
            )
        bottom, top = np.percentile(values, (low, high))
        if bottom == top:
            bottom, top = values.min(), values.max()
        return cls(float(bottom), float(top))

    def limits(self, values: Values, dtype: np.dtype[Any]) -> tuple[float, float]:  # noqa: ARG002 - they are given
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class DtypeRange:
    """0..255 for uint8, 0..65535 for uint16, 0..1 for floats and bool."""

    def limits(self, values: Values, dtype: np.dtype[Any]) -> tuple[float, float]:  # noqa: ARG002 - the type decides
        if np.issubdtype(dtype, np.integer):
            info = np.iinfo(dtype)
            return float(max(info.min, 0)), float(info.max)
        return 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Unscaled:
    """The values as they are."""

    def limits(self, values: Values, dtype: np.dtype[Any]) -> tuple[float, float]:  # noqa: ARG002 - nothing to find
        return 0.0, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ScaledImage:
    """An image and how to read windows of it as three float channels.

    Parameters
    ----------
    image
        ``(H, W)`` or ``(H, W, C)``; any number type, numpy, dask or zarr.
    intensities
        What becomes 0 and 1.
    channels
        Up to three channels to show the network, each with its own contrast. None:
        grey, RGB or RGBA (alpha is dropped) as it comes, with a common contrast.

    Raises
    ------
    ValueError
        If the shape is not an image's, the values are not real numbers, or there are
        more than four channels and none was chosen.
    """

    image: ImageLike
    intensities: Intensities = field(default_factory=Percentiles)
    channels: Sequence[int] | None = None

    def __post_init__(self) -> None:
        image_grid(self.image)
        dtype = np.dtype(self.image.dtype)
        if not (np.issubdtype(dtype, np.number) or dtype == np.bool_) or (
            np.issubdtype(dtype, np.complexfloating)
        ):
            raise ValueError(f"an image holds real numbers, got values of type {dtype}")
        count = self.image.shape[2] if len(self.image.shape) == 3 else 1
        if self.channels is None and count not in (1, 2, 3, 4):
            raise ValueError(
                f"the image has {count} channels; choose up to three of them, or a "
                "plane if the last axis is not one of channels"
            )
        chosen = tuple(self.channels or ())
        if len(chosen) > 3 or any(not 0 <= c < count for c in chosen):
            raise ValueError(
                f"choose one to three of the channels 0 to {count - 1}, got {chosen}"
            )

    @property
    def grid(self) -> Grid:
        """Height and width."""
        return image_grid(self.image)

    def read(self, box: Box, step: int = 1) -> Plane:
        """The pixels of ``box``, every ``step``-th, ``(h, w, 3)`` float32 about 0..1.

        NaN and minus infinity become the low limit, infinity the high one.
        """
        return self.shown(self.raw(box, step))

    def raw(self, box: Box, step: int = 1) -> NDArray[np.generic]:
        """The stored values of ``box``, every ``step``-th, ``(h, w[, C])``."""
        key = tuple(slice(part.start, part.stop, step) for part in box.slices)
        return np.asarray(self.image[key])

    def shown(self, raw: NDArray[np.generic]) -> Plane:
        """Stored values as the network sees them, ``(h, w, 3)``."""
        values = raw.astype(np.float32)  # native byte order, contiguous
        if values.ndim == 2:
            values = values[..., None]
        return as_three(self.scaled(self.selected(values), raw.dtype))

    def selected(self, values: Values) -> Values:
        if self.channels is not None:
            return values[..., list(self.channels)]
        colours = values[..., :3]  # three equal ones are grey: the same percentiles
        return colours[..., :1] if (colours == colours[..., :1]).all() else colours

    def scaled(self, values: Values, dtype: np.dtype[Any]) -> Values:
        together = self.channels is None and values.shape[2] != 2
        if together:
            return scaled_values(values, self.intensities, dtype)
        parts = [
            scaled_values(values[..., c], self.intensities, dtype)
            for c in range(values.shape[2])
        ]
        return np.stack(parts, -1)


def plane_wide(image: ImageLike | ScaledImage) -> ScaledImage:
    """``image`` with one contrast for all of it, so that its parts fit together.

    Limits that are given stay; percentiles become those of the whole plane.

    Raises
    ------
    ValueError
        As ``ScaledImage`` does.
    """
    scaled = image if isinstance(image, ScaledImage) else ScaledImage(image)
    found = scaled.intensities
    if not isinstance(found, Percentiles):
        return scaled
    try:
        limits = GivenLimits.of(scaled.image, found.low, found.high)
    except ValueError:  # without contrast: zero everywhere, whatever the limits
        return scaled
    return replace(scaled, intensities=limits)


def scaled_values(
    values: Values, intensities: Intensities, dtype: np.dtype[Any]
) -> Values:
    """``values`` with the limits at 0 and 1, cut at -0.2 and 1.2; zeros if constant."""
    finite = np.isfinite(values)
    whole = bool(finite.all())
    known = values if whole else values[finite]
    if known.size == 0:
        return np.zeros_like(values)
    low, high = intensities.limits(known, dtype)
    if high <= low:  # nearly everything is one value: the rest must stay visible
        low, high = float(known.min()), float(known.max())
    if high <= low:
        return np.zeros_like(values)
    if not whole:
        values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled: Values = (values - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, -0.2, 1.2)


def as_three(values: Values) -> Plane:
    """Grey to three equal channels; two channels get their mean as the third."""
    count = values.shape[2]
    if count == 1:
        return np.repeat(values, 3, axis=2)
    if count == 2:
        return np.concatenate([values, values.mean(2, keepdims=True)], 2)
    return values
