"""The outline of a mask as CVAT's polygon."""

from __future__ import annotations

import numpy as np

from napari_iseg.arrays import Mask

TOLERANCE = 0.5  # pixels that a corner may be left out by


def outline(mask: Mask, offset: tuple[int, int] = (0, 0)) -> list[float]:
    """The outer border of the largest part of a mask; [] if it has no part.

    Parameters
    ----------
    mask
        ``(h, w)``, the whole image or a part of it. Holes are lost.
    offset
        Row and column of its first pixel in the image.

    Returns
    -------
    ``x, y, x, y, ...`` in pixels from the image's upper left corner, at least three
    corners, the first not repeated.
    """
    from skimage.measure import approximate_polygon, find_contours  # slow to import

    padded = np.pad(mask, 1).astype(np.float32)
    contours = find_contours(padded, 0.5)  # type: ignore[no-untyped-call]  # skimage
    if not contours:
        return []
    longest = max(contours, key=lambda contour: abs(_area(contour)))
    simple = approximate_polygon(longest, TOLERANCE)[:-1]  # type: ignore[no-untyped-call]  # skimage
    corners = simple if len(simple) >= 3 else longest[:-1]
    # A pixel's middle is at index + 0.5, and the padding has moved all by 1.
    places = corners - 0.5 + np.asarray(offset)
    points: list[float] = np.round(places[:, ::-1], 2).ravel().tolist()
    return points


def _area(contour: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    rows, columns = contour[:, 0], contour[:, 1]
    return float(np.sum(rows[:-1] * columns[1:] - rows[1:] * columns[:-1])) / 2
