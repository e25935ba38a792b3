"""Ten-line segmenters that keep the protocol, for tests of what stands above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Semaphore

import numpy as np
from scipy import ndimage

from napari_iseg.arrays import (
    Grid,
    ImageLike,
    Labels,
    Mask,
    ProbabilityMap,
    image_grid,
)
from napari_iseg.clicks import Clicks
from napari_iseg.segmenter import Patch, Progress, last_labels


@dataclass
class BrightPredictor:
    image: np.ndarray
    wait: Callable[[], object]
    remark: str | None = None
    asked: list[Clicks] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        return image_grid(self.image)

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        return [(p.on(self.grid), s) for p, s in self.alternative_patches(clicks)]

    def predict_patch(self, clicks: Clicks) -> Patch:
        return self.alternative_patches(clicks)[0][0]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        clicks.check_inside(self.grid)
        self.asked.append(clicks)
        self.wait()
        bright = self.image > (float(self.image.min()) + float(self.image.max())) / 2
        parts, _ = ndimage.label(bright)
        wanted = {int(parts[c.row, c.column]) for c in clicks.positive} - {0}
        mask = np.isin(parts, list(wanted))
        rows, columns = np.indices(self.grid)
        for c in clicks.negative:
            mask &= (rows - c.row) ** 2 + (columns - c.column) ** 2 > 25
        grown = ndimage.binary_dilation(mask, iterations=2)
        return [
            (Patch(m.astype(np.float32), (0, 0)), s)
            for m, s in ((mask, 0.9), (grown, 0.5))
        ]


@dataclass
class BrightSegmenter:
    """Objects are what is brighter than the middle of the range, part by part.

    Before every answer it waits as `wait` does: not at all, or until `Turns` let it.
    """

    wait: Callable[[], object] = lambda: None

    def prepare(
        self,
        image: ImageLike,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> BrightPredictor:
        raw = getattr(image, "image", image)  # a ScaledImage holds the image it reads
        array = np.asarray(raw)
        return BrightPredictor(array if array.ndim == 2 else array[..., 0], self.wait)


@dataclass
class BrightFinder:
    """Finds every bright part of an image, a quarter of the work at a time."""

    wait: Callable[[], object] = lambda: None
    looked: list[int] = field(default_factory=list)

    def segment(self, image: ImageLike) -> Labels:
        return last_labels(self.parts(image))

    def parts(self, image: ImageLike) -> Iterator[Progress]:
        raw = np.asarray(getattr(image, "image", image))
        bright = raw > (float(raw.min()) + float(raw.max())) / 2
        for done in (1, 2, 3):
            self.wait()
            self.looked.append(done)
            yield Progress(done, 4)
        yield Progress(4, 4, ndimage.label(bright)[0].astype(np.int32))


class Turns:
    """How many answers a slow method may give: tests let it go on, no clock does."""

    def __init__(self, patience: float = 60.0) -> None:
        self._turns = Semaphore(0)
        self.wait = partial(self._turns.acquire, timeout=patience)

    def give(self, number: int) -> None:
        self._turns.release(number)

    def give_all(self) -> None:
        self.give(1_000_000)
