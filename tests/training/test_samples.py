"""What the network is shown while it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.appearance import ALWAYS, MODALITIES, REAL, rendered, varied
from training.engine import carried, zoomed
from training.images import LabelledImage
from training.samples import (
    FLAWS,
    Sample,
    SampleSettings,
    WindowSample,
    degraded,
    wide_extent,
    with_convention,
)
from training.shapes import KINDS, drawn_labels
from training.sources import Samples, TrainingSet


@pytest.fixture
def samples(images: list[LabelledImage]) -> Samples:
    settings = SampleSettings(side=64, canvas=160)
    return Samples({"drawn": TrainingSet(images, 1.0)}, settings, seed=3)


def test_a_sample_depends_on_seed_and_number_alone(
    images: list[LabelledImage], samples: Samples
) -> None:
    again = Samples({"d": TrainingSet(images, 1.0)}, samples.settings, seed=3)

    one, other, next_one = samples[5], again[5], samples[6]

    np.testing.assert_array_equal(one.wide.image, other.wide.image)
    np.testing.assert_array_equal(one.start, other.start)
    assert one.clicks == other.clicks
    assert not np.array_equal(one.wide.image, next_one.wide.image)


def test_the_first_click_lies_on_the_object(samples: Samples) -> None:
    hits = [truth_at(samples[i]) for i in range(40)]

    assert np.mean(hits) > 0.9  # objects of a pixel or two may vanish in a far window


def truth_at(sample: Sample) -> bool:
    row, column, is_positive = sample.clicks[0]
    side = sample.wide.truth.shape[0]
    near = sample.wide.truth[
        max(0, round(row) - 1) : min(side, round(row) + 2),
        max(0, round(column) - 1) : min(side, round(column) + 2),
    ]
    return bool(near.any()) and is_positive


def test_both_windows_show_the_same_place(samples: Samples) -> None:
    """The truth in the zoom window, carried over from the wide one, is the same."""
    agreement = []
    for i in range(60):
        sample = samples[i]
        if sample.wide.truth.sum() < 200:
            continue
        wide = torch.from_numpy(sample.wide.truth.astype(np.float32))[None, None]
        seen = zoomed(wide, torch.tensor([sample.shift]))[0, 0].numpy() > 0.5
        inside = zoomed(torch.ones_like(wide), torch.tensor([sample.shift]))[0, 0] > 0.9
        truth = sample.zoom.truth & inside.numpy()
        either = (seen | truth) & inside.numpy()
        if either.sum() > 100:
            agreement.append((seen & truth).sum() / either.sum())

    assert len(agreement) > 10
    assert np.median(agreement) > 0.9


def test_clicks_are_carried_to_the_zoom_window(samples: Samples) -> None:
    ratio, row, column = 0.5, 10.0, 20.0

    moved = carried([(12.0, 24.0, True), (60.0, 60.0, False)], (ratio, row, column), 64)

    assert moved == [(4.0, 8.0, True)]


@pytest.mark.parametrize("modality", MODALITIES, ids=lambda f: f.__name__)
def test_every_modality_shows_the_cells(modality: object) -> None:
    rng = np.random.default_rng(0)
    labels = drawn_labels(128, rng).astype(np.int32)

    picture = modality(labels, rng)  # type: ignore[operator]

    assert picture.shape[:2] == labels.shape
    assert np.isfinite(picture).all()
    assert picture.std() > 0.005


@pytest.mark.parametrize(
    "change", [c for c, _ in (*REAL, *ALWAYS)], ids=lambda f: f.__name__
)
def test_every_camera_effect_keeps_shape_and_finite_values(change: object) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((40, 50, 3), np.float32)

    changed = change(image, rng)  # type: ignore[operator]

    assert changed.shape == image.shape
    assert np.isfinite(changed).all()
    assert not np.array_equal(changed, image)


@pytest.mark.parametrize("is_real", [True, False])
def test_appearance_is_drawn_from_the_generator_alone(is_real: bool) -> None:
    labels = drawn_labels(96, np.random.default_rng(1)).astype(np.int32)

    def picture() -> np.ndarray:
        rng = np.random.default_rng(7)
        return varied(rendered(labels, rng), rng, is_real=is_real)

    np.testing.assert_array_equal(picture(), picture())


@pytest.mark.parametrize("kind", set(KINDS), ids=lambda f: f.__name__)
def test_outlines_are_closed_around_their_middle(kind: object) -> None:
    outline = kind(20.0, np.random.default_rng(0))  # type: ignore[operator]

    assert outline.shape == (72, 2)
    assert np.abs(outline.mean(0)).max() < 20


@pytest.mark.parametrize("flaw", set(FLAWS), ids=lambda f: f.__name__)
def test_every_flaw_gives_a_mask(flaw: object) -> None:
    rng = np.random.default_rng(0)
    labels = drawn_labels(64, rng).astype(np.int32)
    truth = labels == 1

    flawed = flaw(truth, truth, labels, rng)  # type: ignore[operator]

    assert flawed.shape == truth.shape
    assert flawed.dtype == bool


def test_degraded_answers_are_probabilities() -> None:
    rng = np.random.default_rng(0)
    labels = drawn_labels(64, rng).astype(np.int32)
    for _ in range(30):
        poor = degraded(labels == 1, labels, rng)

        assert 0 <= poor.min() <= poor.max() <= 1


def test_some_draw_the_same_cell_wider_and_some_narrower() -> None:
    rng = np.random.default_rng(0)
    truth, nothing = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    truth[16:48, 16:48] = True
    neighbour = np.zeros((64, 64), bool)
    neighbour[16:48, 48:60] = True
    window = WindowSample(
        np.zeros((3, 64, 64), np.float16), truth, neighbour, nothing, 0.0
    )

    drawn = [with_convention(window, rng).truth for _ in range(40)]

    areas = {int(mask.sum()) for mask in drawn}
    assert min(areas) < truth.sum() < max(areas)
    assert max(areas) < 1.6 * truth.sum()
    assert not any((mask & neighbour).any() for mask in drawn)


def test_some_first_windows_are_as_inference_takes_them(samples: Samples) -> None:
    rng = np.random.default_rng(0)
    source = samples.source(rng)
    blind = SampleSettings(overview=1.0, overviews=(100, 700))

    extents = [wide_extent(source, blind, rng) for _ in range(50)]

    assert all(70 <= e <= 150 or 490 <= e <= 1050 for e in extents)
    assert min(extents) < 150 < max(extents)


@pytest.mark.parametrize("strategy", ["ifcn", "medoids"])
def test_the_first_clicks_may_be_a_papers(
    images: list[LabelledImage], strategy: str
) -> None:
    settings = SampleSettings(side=64, canvas=160, strategy=strategy, far=0.0)
    samples = Samples({"d": TrainingSet(images, 1.0)}, settings, seed=3)

    found = [samples[i] for i in range(30)]

    for sample in found:
        for row, column, is_positive in sample.clicks[1:]:
            assert sample.wide.truth[round(row), round(column)] == is_positive
    assert max(len(sample.clicks) for sample in found) > 4
    assert all(sample.clicks[0][2] for sample in found)
