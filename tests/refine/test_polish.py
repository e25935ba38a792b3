"""Graph cut after a method: its mask ends where the image has contrast."""

from __future__ import annotations

from dataclasses import dataclass, field

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.arrays import Box
from napari_iseg.classical.banded_cut import Energy, whole_cut
from napari_iseg.classical.scene import Scene
from napari_iseg.clicks import Clicks
from napari_iseg.intensities import ScaledImage
from napari_iseg.refine.polish import (
    Polish,
    Polished,
    PolishedPredictor,
    clicks_in,
    decided,
    relabelled,
)
from napari_iseg.segmenter import Patch
from tests.classical.brute_force import cost_of, costs
from tests.classical.test_minimum_cuts import weights_by_hand

ROWS, COLUMNS = np.indices((120, 140))
AWAY = np.hypot(ROWS - 60, COLUMNS - 70)
CELL = AWAY < 25
ON_CELL = Clicks.at(positive=[(60, 70)])


def picture(noise: float = 8) -> np.ndarray:
    grey = 60 + 90 * CELL + np.random.default_rng(0).normal(0, noise, CELL.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def rough(radius: float = 28, steep: float = 0.3) -> np.ndarray:
    """A probability map whose outline is a few pixels too far out."""
    return (1 / (1 + np.exp(steep * (AWAY - radius)))).astype(np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@dataclass
class Same:
    """A method that answers with given maps, whatever was clicked."""

    maps: list[np.ndarray]
    device: str = "cuda"
    asked: list[Clicks] = field(default_factory=list)
    remark: str | None = "as foreseen"

    def prepare(self, image: object, prior: object = None, others: object = None):
        self.prepared = image, prior, others
        return self

    def predict_patch(self, clicks: Clicks) -> Patch:
        return self.alternative_patches(clicks)[0][0]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        self.asked.append(clicks)
        return [(Patch(one, (0, 0)), 1 - n / 9) for n, one in enumerate(self.maps)]


def polished(*maps: np.ndarray, image: np.ndarray | None = None, **how):
    """By a cut that costs something, unless the test says what."""
    shown = picture() if image is None else image
    polish = Polish(**{"boundary": 4.0, **how})
    return Polished(Same(list(maps)), polish).prepare(shown)


def test_the_outline_is_drawn_to_the_contrast() -> None:
    before = rough() > 0.5

    after = polished(rough()).predict(ON_CELL) > 0.5

    assert iou(before, CELL) < 0.82
    assert iou(after, CELL) > 0.98


def test_without_a_boundary_term_the_answer_stays() -> None:
    answer = polished(rough(), boundary=0.0).predict(ON_CELL)

    np.testing.assert_array_equal(answer, rough())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_of_all_labellings_the_one_of_least_energy_is_taken(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random((3, 4, 3)).astype(np.float32)
    probability = rng.uniform(0.01, 0.99, (3, 4)).astype(np.float32)
    seeds = np.zeros((3, 4), np.int8)
    seeds[0, 0] = 1
    scene, polish = Scene(image, seeds), Polish(boundary=0.7)

    evidence = np.log(probability / (1 - probability))

    label = polish.labelled(scene, evidence)

    table = costs(Energy(scene, evidence, None), weights_by_hand(scene, 0.7))
    assert cost_of(label, table) == pytest.approx(table.min(), abs=0.03)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), boundary=st.floats(0.1, 5))
def test_pixels_that_need_no_cut_have_the_label_of_the_cut(seed, boundary) -> None:
    rng = np.random.default_rng(seed)
    scene = Scene(rng.random((12, 15, 3), np.float32), np.zeros((12, 15), np.int8))
    evidence = rng.normal(0, 6, (12, 15)).astype(np.float32)
    energy = Polish(boundary=boundary).energy(scene, evidence)

    sure = decided(energy)

    np.testing.assert_array_equal((evidence > 0)[sure], whole_cut(energy)[sure])


def test_what_is_cut_in_parts_is_what_is_cut_at_once() -> None:
    found = [polished(rough(), exact=n).predict(ON_CELL) > 0.5 for n in (500, 50_000)]

    assert iou(*found) > 0.98


def test_clicked_pixels_have_their_labels_whatever_the_method_says() -> None:
    """One positive click far outside of the mask, one negative in its middle."""
    clicks = Clicks.at([(60, 50), (5, 5)], [(60, 70)])
    answer = polished(rough()).predict(clicks) > 0.5

    assert answer[60, 50]
    assert answer[5, 5]
    assert not answer[60, 70]


def test_a_click_outside_of_the_patch_makes_it_larger() -> None:
    small = Patch(rough()[20:100, 30:110].copy(), (20, 30))

    found = Polish().patch(ScaledImage(picture()), small, Clicks.at([(3, 4)]))

    assert found.at(3, 4) > 0.5
    assert found.box.union(small.box) == found.box


def test_pixels_that_keep_their_label_keep_their_probability() -> None:
    answer, before = polished(rough()).predict(ON_CELL), rough()

    same = (answer > 0.5) == (before > 0.5)
    same[50:70, 60:80] = False  # around the click
    np.testing.assert_array_equal(answer[same], before[same])
    assert answer.min() >= 0
    assert answer.max() <= 1


@given(probability=st.floats(0, 1, width=32), label=st.booleans())
def test_a_probability_is_on_the_side_of_its_label(probability, label) -> None:
    before = np.array([[probability]], np.float32)

    after = relabelled(before, np.array([[label]]))

    assert (after[0, 0] > 0.5) == label
    assert 0 <= after[0, 0] <= 1
    if (probability > 0.5) == label:
        assert after[0, 0] == before[0, 0]


def test_an_empty_mask_stays_empty() -> None:
    nothing = np.full(CELL.shape, 0.3, np.float32)

    np.testing.assert_array_equal(polished(nothing).predict(ON_CELL), nothing)


def test_without_a_click_the_method_has_the_word() -> None:
    np.testing.assert_array_equal(polished(rough()).predict(Clicks()), rough())


def test_every_alternative_is_polished_and_keeps_score_and_place() -> None:
    predictor = polished(rough(28), rough(34), rough(23))

    found = predictor.alternatives(ON_CELL)

    assert [score for _, score in found] == [1, 1 - 1 / 9, 1 - 2 / 9]
    np.testing.assert_array_equal(found[0][0], predictor.predict(ON_CELL))
    for (after, _), before in zip(found, (28, 34, 23), strict=True):
        assert iou(after > 0.5, CELL) > iou(rough(before) > 0.5, CELL)


def test_an_answer_is_polished_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts: list[Clicks] = []
    cut = PolishedPredictor.polished
    monkeypatch.setattr(
        PolishedPredictor, "polished", lambda s, p, c: (cuts.append(c), cut(s, p, c))[1]
    )
    predictor = polished(rough())

    for _ in range(3):
        predictor.predict(ON_CELL)

    assert cuts == [ON_CELL]


def test_what_the_method_tells_is_told_on() -> None:
    method = Same([rough()])
    image, prior, others = picture(), rough(), CELL

    predictor = Polished(method).prepare(image, prior, others)

    assert predictor.remark == "as foreseen"
    assert Polished(method).device == "cuda"
    assert all(
        told is given
        for told, given in zip(method.prepared, (image, prior, others), strict=True)
    )


def test_only_the_surroundings_of_the_mask_are_read() -> None:
    read: list[Box] = []

    class Watched(ScaledImage):
        def read(self, box: Box, step: int = 1) -> np.ndarray:
            read.append(box)
            return super().read(box, step)

    huge = da.zeros((20_000, 20_000), chunks=1000, dtype=np.uint8)
    patch = Patch(rough(), (9000, 9000))

    Polish().patch(Watched(huge), patch, Clicks.at([(9060, 9070)]))

    (box,) = read
    assert max(box.shape) < 90
    assert box.intersection(patch.box) == box


def test_a_large_mask_is_cut_in_coarser_pixels_and_seen_the_same() -> None:
    finely, coarsely = (
        polished(rough(), most=most).predict(ON_CELL) > 0.5 for most in (512, 50)
    )

    assert iou(coarsely, CELL) > 0.93
    assert iou(finely, coarsely) > 0.93


def test_an_image_without_contrast_keeps_the_outline_round() -> None:
    flat = np.full(CELL.shape, 7, np.uint8)

    after = polished(rough(), image=flat).predict(ON_CELL) > 0.5

    assert iou(after, rough() > 0.5) > 0.85


def test_clicks_are_seen_in_the_pixels_of_a_part() -> None:
    clicks = Clicks.at([(5, 6), (0, 0)], [(7, 8)])

    assert clicks_in(Box(4, 5, 9, 9), clicks) == Clicks.at([(1, 1)], [(3, 3)])
