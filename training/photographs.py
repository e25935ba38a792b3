"""Samples as the papers cut them from photographs: one crop, one object, its clicks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from napari_iseg.arrays import Grid, Mask
from training.datasets import BenchmarkObject, DataSet
from training.simulated_clicks.ifcn import ITIS, Ifcn
from training.simulated_clicks.medoids import BRS, Medoids
from training.simulated_clicks.places import Rng

Matrix: TypeAlias = NDArray[np.float64]  # (2, 3): source (x, y, 1) to crop (x, y)
Points: TypeAlias = tuple[tuple[float, float, bool], ...]  # row, column, is_positive
FULL = 0.35  # share of the image that an object's box is to fill (FCTSFN 3.3)
TURN = np.pi / 3  # largest angle (FCTSFN's code)
SHIFT = 1 / 3  # largest shift, in margins (FCTSFN's code)
GAMMA = 0.05  # of gamma augmentation (Pohlen et al., CVPR 2017, as ITIS cites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photographs:
    """Where samples come from, how they are cut, and where they are clicked."""

    data: str = ""  # a name of training.datasets; "": windows of the cell pool
    cut: str = "whole"  # of CUTS
    grid: tuple[int, int] = (0, 0)  # of the crop, pixels; (0, 0): as the image is
    pairs: int = 1  # click patterns of each object in an epoch
    flipped: bool = False  # half of the crops are mirrored
    turned: float = 0.0  # share that is turned, and share that is moved
    gamma: float = 0.0  # of the brightness; GAMMA
    plan: str = "ifcn"  # of the clicks, or "medoids"
    ifcn: Ifcn = ITIS
    medoids: Medoids = BRS
    lagged: bool = False  # one more click an epoch, on the last epoch's error


@dataclass(frozen=True, slots=True)
class Crop:
    """One object. ``image`` ``(H, W, 3)`` 0..1, the masks ``(H, W)``."""

    name: str
    image: NDArray[np.float32]
    truth: Mask
    others: tuple[Mask, ...]
    ignored: Mask
    clicks: Points
    skipped: tuple[str, ...] = ()


class Crops(Dataset[Crop]):
    """Sample ``i`` is a function of ``seed`` and ``i``; every object once an epoch.

    Lagged clicks need an object to look the same each time: then its crop is a function
    of its name.
    """

    def __init__(self, data: DataSet, settings: Photographs, *, seed: int) -> None:
        self.data, self.settings, self.seed = data, settings, seed
        self.names = data.samples()
        self.order = lru_cache(2)(self.shuffled)

    def __len__(self) -> int:
        return 2**31

    @property
    def epoch(self) -> int:
        """Samples of an epoch."""
        return len(self.names) * self.settings.pairs

    def shuffled(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((self.seed, 4, epoch)).permutation(self.epoch)

    def __getitem__(self, index: int) -> Crop:
        epoch, at = divmod(index, self.epoch)
        name = self.names[int(self.order(epoch)[at]) // self.settings.pairs]
        rng = np.random.default_rng((self.seed, 5, index))
        place = (
            np.random.default_rng((self.seed, 6, zlib.crc32(name.encode())))
            if self.settings.lagged
            else rng
        )
        return crop_of(self.data.read(name), self.settings, place, rng)


def crop_of(
    found: BenchmarkObject, settings: Photographs, place: Rng, rng: Rng
) -> Crop:
    """``place`` decides what is cut, ``rng`` brightness and clicks."""
    matrix, grid = CUTS[settings.cut](found.truth, settings, place)
    if settings.flipped and place.random() < 0.5:
        matrix = np.array([[-1, 0, grid[1] - 1], [0, 1, 0]]) @ np.vstack(
            [matrix, [0, 0, 1]]
        )
    image = warped(brightened(colours(found.image), settings.gamma, rng), matrix, grid)
    truth = warped_mask(found.truth, matrix, grid)
    ignored = warped_mask(found.ignored, matrix, grid) | ~warped_mask(
        np.ones_like(found.truth), matrix, grid
    )
    around = np.zeros(grid, bool)
    if found.others is not None:
        around = warped_mask(found.others, matrix, grid) & ~truth
    others = parts(around)
    clicks = () if settings.lagged else planned(settings, truth, others, rng)
    return Crop(found.name, image, truth, tuple(others), ignored, clicks)


def planned(settings: Photographs, truth: Mask, others: list[Mask], rng: Rng) -> Points:
    """First clicks by the paper's plan."""
    clicks = plan_of(settings).clicks(truth, others, rng)
    return tuple((float(c.row), float(c.column), c.is_positive) for c in clicks)


def plan_of(settings: Photographs) -> Ifcn | Medoids:
    return settings.medoids if settings.plan == "medoids" else settings.ifcn


def parts(mask: Mask) -> list[Mask]:
    """Connected parts: what is known of the other objects in a crop."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [labels == label for label in range(1, number)]


def colours(image: NDArray[Any]) -> NDArray[np.float32]:
    """``(H, W, 3)`` in 0..1, of whole numbers of any size, or of what is there."""
    is_whole = np.issubdtype(image.dtype, np.integer)
    most = np.iinfo(image.dtype).max if is_whole else 1
    shown = image.astype(np.float32) / np.float32(most)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, 2)


def brightened(
    image: NDArray[np.float32], most: float, rng: Rng
) -> NDArray[np.float32]:
    """A random gamma, as likely to darken as to brighten."""
    if not most:
        return image
    by = rng.uniform(-most, most) / np.sqrt(2)
    gamma = np.log(0.5 + by) / np.log(0.5 - by)
    return np.clip(image, 0, 1) ** np.float32(gamma)


def warped(
    image: NDArray[np.float32], matrix: Matrix, grid: Grid
) -> NDArray[np.float32]:
    """The crop; beyond the image its mean colour."""
    mean = [float(v) for v in image.mean((0, 1))]
    size = (grid[1], grid[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=mean)


def warped_mask(mask: Mask, matrix: Matrix, grid: Grid) -> Mask:
    size = (grid[1], grid[0])
    drawn = cv2.warpAffine(mask.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    return np.asarray(drawn > 0)


def whole(truth: Mask, _settings: Photographs, _rng: Rng) -> tuple[Matrix, Grid]:
    """The image as it is (iFCN, LD, RIS-Net)."""
    return np.eye(2, 3), (truth.shape[0], truth.shape[1])


def centred(truth: Mask, settings: Photographs, rng: Rng) -> tuple[Matrix, Grid]:
    """The centre pixel is the object's (BRS 3.1)."""
    row, column = inside(truth, rng)
    height, width = settings.grid
    return moved(1, row - height // 2, column - width // 2), settings.grid


def part(truth: Mask, settings: Photographs, rng: Rng) -> tuple[Matrix, Grid]:
    """Anywhere, with a part of the object; small images are enlarged (ITIS, app. B)."""
    scale = max(1.0, *(g / t for g, t in zip(settings.grid, truth.shape, strict=True)))
    starts = []
    for at, length, side in zip(
        inside(truth, rng), truth.shape, settings.grid, strict=True
    ):
        first = max(0.0, scale * at - side + 1)
        last = min(scale * at, scale * length - side)
        starts.append(round(rng.uniform(first, max(first, last))))
    return moved(scale, *starts), settings.grid


def around_object(truth: Mask, settings: Photographs, rng: Rng) -> tuple[Matrix, Grid]:
    """Around an object whose box fills less than 35 % (FCTSFN 3.3)."""
    rows, columns = (np.flatnonzero(truth.any(axis)) for axis in (1, 0))
    box = np.array([np.ptp(rows) + 1, np.ptp(columns) + 1], float)
    grid = np.array(settings.grid, float)
    extent = np.array(truth.shape, float)
    middle = (extent - 1) / 2
    if box.prod() < FULL * extent.prod():
        middle = np.array([rows[0] + rows[-1], columns[0] + columns[-1]]) / 2
        extent = box / np.sqrt(FULL)
    if rng.random() < settings.turned:
        middle = middle + rng.uniform(-SHIFT, SHIFT, 2) * (extent - box).clip(0) / 2
    angle = rng.uniform(-TURN, TURN) if rng.random() < settings.turned else 0.0
    down, across = grid / extent
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = np.diag([across, down]) @ turn
    offset = (grid[::-1] - 1) / 2 - linear @ middle[::-1]
    return np.column_stack([linear, offset]), settings.grid


def inside(truth: Mask, rng: Rng) -> tuple[int, int]:
    """Any pixel of the object."""
    rows, columns = np.nonzero(truth)
    at = rng.integers(rows.size)
    return int(rows[at]), int(columns[at])


def moved(scale: float, top: float, left: float) -> Matrix:
    """Enlarged, then cut from ``top`` and ``left``."""
    return np.array([[scale, 0, -left], [0, scale, -top]], float)


Cut: TypeAlias = Callable[[Mask, Photographs, Rng], tuple[Matrix, Grid]]
CUTS: Mapping[str, Cut] = {
    "whole": whole,
    "centred": centred,
    "part": part,
    "object": around_object,
}
