"""More regions for RIS-Net's training, slid along the outline of the object.

Liew et al., ICCV 2017, section 3.2.1 and figure 3.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Box, Mask
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers.click_regions import moved_inside, regions_of

REGIONS = 5  # N_ROI, of each image in training

Outline = NDArray[np.int32]  # (N, 2): rows and columns, in the order of the way


def training_regions(
    clicks: Clicks, truth: Mask, rng: np.random.Generator, count: int = REGIONS
) -> list[Box]:
    """``count`` regions for an image whose object is ``truth`` ``(H, W)``.

    Those between clicks; some of them, drawn by ``rng``, where they are more; more of
    them, slid, where they are fewer. A single one is repeated.
    """
    found = regions_of(clicks, (truth.shape[0], truth.shape[1]))
    if len(found) > count:
        drawn = rng.choice(len(found), count, replace=False)
        return [found[number] for number in sorted(drawn)]
    if len(found) > 1:
        found += slid(found, truth, count - len(found))
    return (found * count)[:count]


def slid(regions: list[Box], truth: Mask, count: int) -> list[Box]:
    """``count`` regions more, each half way between neighbours along the outline.

    Neighbours that are furthest apart come first; the way between two of them is the
    shorter one around the object, and the one that comes first on it is slid. Fewer
    where the outline has no place between them.
    """
    outline = outline_of(truth)
    if not len(outline):
        return []
    known = {nearest_place(outline, box): max(box.shape) for box in regions}
    more = []
    for _ in range(count):
        ways = {
            place: length
            for place, length in ways_to_next(sorted(known), len(outline)).items()
            if 2 <= length <= len(outline) / 2
        }
        if not ways:
            break
        start = max(ways, key=lambda place: ways[place])
        middle = (start + ways[start] // 2) % len(outline)
        known[middle] = known[start]
        more.append(centred(outline[middle], known[start], truth.shape))
    return more


def outline_of(truth: Mask) -> Outline:
    """The way around the longest outline of ``truth``."""
    found, _ = cv2.findContours(
        truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    longest = max(found, key=len, default=np.zeros((0, 1, 2), np.int32))
    return np.asarray(longest[:, 0, ::-1], np.int32)


def nearest_place(outline: Outline, box: Box) -> int:
    """The pixel of the outline nearest to the middle of ``box``, by its number."""
    middle = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
    return int(np.square(outline - np.array(middle)).sum(1).argmin())


def ways_to_next(places: list[int], length: int) -> dict[int, int]:
    """How far it is from each place to the next one, once around."""
    following = [*places[1:], places[0] + length]
    return {a: b - a for a, b in zip(places, following, strict=True)}


def centred(at: NDArray[np.int32], side: int, shape: tuple[int, ...]) -> Box:
    """A square around a pixel, moved into an image of ``shape``."""
    top, left = int(at[0]) - side // 2, int(at[1]) - side // 2
    return moved_inside(Box(top, left, top + side, left + side), (shape[0], shape[1]))
