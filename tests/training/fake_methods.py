"""Methods outside the catalogue, called as 'tests.training.fake_methods:bright'."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from napari_iseg.arrays import ImageLike
from napari_iseg.segmenter import Patch
from tests.fakes import BrightPredictor, BrightSegmenter

BRIGHT = "tests.training.fake_methods:bright"
SLOW = "tests.training.fake_methods:slow"
PICKY = "tests.training.fake_methods:picky"
WORSE = "tests.training.fake_methods:worse"


def bright(device: str, weights: Path | None) -> BrightSegmenter:
    return BrightSegmenter()


def slow(device: str, weights: Path | None) -> BrightSegmenter:
    return BrightSegmenter(wait=lambda: time.sleep(0.05))


class Picky(BrightSegmenter):
    """Refuses images whose first pixel is 7."""

    def prepare(
        self, image: ImageLike, prior: object = None, others: object = None
    ) -> BrightPredictor:
        if np.asarray(image).ravel()[0] == 7:
            raise RuntimeError("a seven\nwith a second line")
        return super().prepare(image)


def picky(device: str, weights: Path | None) -> BrightSegmenter:
    return Picky()


class Worse(BrightSegmenter):
    """Its second hypothesis is the right one."""

    def prepare(
        self, image: ImageLike, prior: object = None, others: object = None
    ) -> WorsePredictor:
        return WorsePredictor(np.asarray(image), self.wait)


class WorsePredictor(BrightPredictor):
    def alternative_patches(self, clicks):
        (right, a), (grown, b) = super().alternative_patches(clicks)
        return [(Patch(grown.probability, grown.offset), a), (right, b)]


def worse(device: str, weights: Path | None) -> BrightSegmenter:
    return Worse()
