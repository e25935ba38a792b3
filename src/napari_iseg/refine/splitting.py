"""Which of several cells that touch is meant: clicks share a foreground out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from napari_iseg.arrays import EVERYWHERE, Box, Labels, Mask, bounding_box
from napari_iseg.widest_error import Place

BLUR = 1.5  # pixels, of the distance in which hills are found
DEPTH = 2.0  # pixels: chosen on held-out images of usiigaci, where 1 to 4 do alike


def split(
    foreground: Mask,
    positive: Sequence[Place],
    negative: Sequence[Place],
    *,
    depth: float = DEPTH,
    is_one: bool = False,
) -> Mask:
    """The cells with positive clicks, of a foreground in which cells touch.

    The distance to the background has a hill for each cell: they part at the waist.
    The hills of positive clicks are taken. One with negative clicks, too, is shared
    out: each click has the largest disc about it that fits, and what is nearer to it
    than to those of the other kind.

    Parameters
    ----------
    foreground
        ``(H, W)``.
    positive, negative
        ``(row, column)``; clicks beside the foreground say nothing here.
    depth
        Two hills are two cells if the saddle between them is this much lower, in
        pixels of distance. ``inf``: each connected part is one.
    is_one
        Whether all of it was one object before somebody clicked: then the hills of
        negative clicks go, and the others stay.

    Returns
    -------
    ``(H, W)``: every positive pixel of ``foreground`` is in it and no negative one;
    a pixel that is both is not.
    """
    answer = np.zeros_like(foreground)
    box = surroundings(foreground)
    if box is None:
        return answer
    mask = foreground[box.slices]
    wanted, unwanted = (
        [(row - box.top, column - box.left) for row, column in places]
        for places in (positive, negative)
    )
    hills = hills_of(mask, depth)
    if is_one and not labels_at(hills, wanted):
        wanted += middle(mask, hills, unwanted)
    taken = cells(hills, wanted, unwanted, is_one=is_one)
    answer[box.slices] = taken & ~cut_off(mask, hills, wanted, unwanted)
    return answer


def cells(
    hills: Labels, wanted: list[Place], unwanted: list[Place], *, is_one: bool
) -> Mask:
    """The hills that are taken, whole."""
    positive, negative = labels_at(hills, wanted), labels_at(hills, unwanted)
    if not is_one:
        return np.isin(hills, list(positive))
    return (hills > 0) & ~np.isin(hills, list(negative - positive))


def cut_off(
    mask: Mask, hills: Labels, wanted: list[Place], unwanted: list[Place]
) -> Mask:
    """What negative clicks take of hills that hold positive ones as well."""
    both = labels_at(hills, wanted) & labels_at(hills, unwanted)
    contested = np.isin(hills, list(both))
    if not both:
        return contested
    inner = distance(mask)
    sides = [within(contested, places) for places in (wanted, unwanted)]
    ours, theirs = (beyond(inner, places) for places in sides)
    taken: Mask = contested & (theirs <= ours)
    for places, is_theirs in zip(sides, (False, True), strict=True):
        for place in places:
            taken[place] = is_theirs
    return taken


def beyond(inner: NDArray[np.float64], places: list[Place]) -> NDArray[np.float64]:
    """How far each pixel is beyond the nearest disc about one of ``places``.

    The discs are the largest that fit into the foreground, where ``inner`` is its
    depth: where two of them meet, at a waist, is as far from one as from the other.
    """
    rows, columns = np.ogrid[: inner.shape[0], : inner.shape[1]]
    away = np.full(inner.shape, np.inf)
    for place in places:
        disc = np.hypot(rows - place[0], columns - place[1]) - inner[place]
        np.minimum(away, disc, out=away)
    return away


def hills_of(mask: Mask, depth: float) -> Labels:
    """1, 2, ... on the hills of the distance to the background; else 0."""
    above = height(mask)
    tops = np.zeros(mask.shape, np.int32)
    if depth < above.max():
        tops, _ = ndimage.label(h_maxima(above, depth), EVERYWHERE)  # type: ignore[no-untyped-call]  # skimage
    hills = flooded(above, tops, mask)
    parts, _ = ndimage.label(mask & (hills == 0), EVERYWHERE)
    return np.where(parts > 0, parts + hills.max(), hills)


def middle(mask: Mask, hills: Labels, unwanted: list[Place]) -> list[Place]:
    """Where an object is deepest, if it is one hill and that has a negative click.

    Clicks count as background, so that what is far from them is left.
    """
    clicked = labels_at(hills, unwanted)
    if len(clicked) < hills.max():
        return []
    left = mask.copy()
    for place in within(mask, unwanted):
        left[place] = False
    row, column = np.unravel_index(np.argmax(height(left) * left), left.shape)
    return [(int(row), int(column))] if left[row, column] else []


def labels_at(hills: Labels, places: Sequence[Place]) -> set[int]:
    """The hills of some places; background is none."""
    return {int(hills[place]) for place in within(hills > 0, places)}


def within(mask: Mask, places: Sequence[Place]) -> list[Place]:
    """Places that lie in ``mask``, whose edges end the world."""
    rows, columns = mask.shape
    inside = [at for at in places if 0 <= at[0] < rows and 0 <= at[1] < columns]
    return [at for at in inside if mask[at]]


def surroundings(mask: Mask) -> Box | None:
    """What is true, and the background at its outline; None if nothing is."""
    box = bounding_box(mask)
    if box is None:
        return None
    wider = Box(box.top - 1, box.left - 1, box.bottom + 1, box.right + 1)
    return wider.clipped_to((mask.shape[0], mask.shape[1]))


def flooded(above: NDArray[np.float64], tops: Labels, mask: Mask) -> Labels:
    """To which of the ``tops`` each pixel of ``mask`` belongs."""
    found: Labels = watershed(-above, tops, EVERYWHERE, mask=mask)  # type: ignore[no-untyped-call]  # skimage
    return found


def height(mask: Mask) -> NDArray[np.float64]:
    """Distance to the background without its steps, which are no hills."""
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(distance(mask), BLUR)
    return smooth


def distance(mask: Mask) -> NDArray[np.float64]:
    """To the background, ``(H, W)``; an edge is none, the object goes on there."""
    found: NDArray[np.float64] = ndimage.distance_transform_edt(mask)
    return found
