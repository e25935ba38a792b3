"""BRS keeps the laws of the paper, around any network."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg import load_segmenter
from napari_iseg.click_maps import DiscMaps
from napari_iseg.clicks import Click, Clicks
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.latent_diversity import Answer as OfSix
from napari_iseg.nets.told import Told, guides
from napari_iseg.refine.brs import BRS, Kept, Places, Refiner, energies
from napari_iseg.refine.descent import Bounds, Cancelled
from napari_iseg.refine.handles import Variant, handle
from napari_iseg.refine.papers import segmenter_of
from napari_iseg.refine.whole import Whole
from napari_iseg.refine.windowed import Windowed, WindowedPredictor, agrees
from napari_iseg.segmenter import Patch
from napari_iseg.windows import Window, back
from tests.tiny_papers import tiny_segmenter

VARIANTS: tuple[Variant, ...] = get_args(Variant)
ON_CELL = Clicks.at(positive=[(60, 70)])
CONTRADICTING = ON_CELL.adding(Click(60, 62, is_positive=False)).adding(Click(20, 30))


def picture() -> np.ndarray:
    rows, columns = np.indices((131, 157))
    cell = (rows - 60) ** 2 + (columns - 70) ** 2 < 20**2
    noise = np.random.default_rng(0).normal(60, 8, cell.shape)
    return np.clip(noise + 90 * cell, 0, 255).astype(np.uint8)


class Answer:
    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


class Deaf(nn.Module):
    """What is bright, and too little of what the clicks say: it needs BRS."""

    encoder = DiscMaps(3.0)

    def __init__(self, hears: float = 2.0, most: float = 1e3) -> None:
        super().__init__()
        self.most = most
        self.hears = nn.Parameter(torch.tensor(hears))

    def forward(self, image: Tensor, maps: Tensor) -> Answer:
        told = self.hears * F.avg_pool2d(maps[:, :1] - maps[:, 1:], 5, 1, 2)
        heard = self.most * torch.tanh(told / self.most)
        return Answer(12 * (image[:, :1] - 0.5) + heard)


def deaf() -> Windowed:
    return segmenter_of(Deaf())


def refined(hears: float = 2.0, most: float = 1e3, **how: Any) -> WindowedPredictor:
    return BRS(segmenter_of(Deaf(hears, most)), **how).prepare(picture())


def unsatisfied(predictor: WindowedPredictor, clicks: Clicks) -> int:
    patch = predictor.predict_patch(clicks)
    return sum(not agrees(patch, (click,)) for click in clicks)


def test_clicks_that_a_network_does_not_hear_are_obeyed_after_all() -> None:
    """Given a network that contradicts two of three clicks."""
    plain = deaf().prepare(picture())
    assert unsatisfied(plain, CONTRADICTING) == 2

    predictor = refined()

    assert unsatisfied(predictor, CONTRADICTING) == 0
    assert predictor.remark is None


def test_the_energy_never_rises() -> None:
    """Neither with inertia nor, where it holds a click back, on without it."""
    found = energies(refined(inertia=10.0), CONTRADICTING.prefix(2))

    assert len(found) > 1
    assert list(found) == sorted(found, reverse=True)


def test_where_every_click_is_right_the_network_s_own_answer_stays() -> None:
    predictor = refined()

    np.testing.assert_array_equal(
        predictor.predict(ON_CELL), deaf().prepare(picture()).predict(ON_CELL)
    )
    assert energies(predictor, ON_CELL) == ()


def test_the_next_click_begins_with_the_maps_that_were_refined() -> None:
    """A third click that the refined maps satisfy costs no iteration."""
    predictor = refined()
    two = CONTRADICTING.prefix(2)
    three = two.adding(Click(60, 75))
    before: Kept = predictor.state(two).kept

    after: Kept = predictor.state(three).kept

    assert before.descent.evaluations > 0
    assert after.descent.evaluations == 0
    np.testing.assert_array_equal(after.change, before.change)


def test_a_level_that_costs_another_click_is_left(monkeypatch) -> None:
    """Given clicks that are heard, and a level at which all is object."""
    monkeypatch.setattr(
        "napari_iseg.refine.windowed.levelled",
        lambda new, *_: Patch(np.ones_like(new.probability), new.offset),
    )
    predictor = refined(8.0)

    assert unsatisfied(predictor, CONTRADICTING.prefix(2)) == 0
    assert predictor.state(CONTRADICTING.prefix(2)).kept is None


def test_refined_maps_go_along_with_a_window_that_moves() -> None:
    """Given a click far away, for which another window is needed."""
    predictor = refined()
    two = CONTRADICTING.prefix(2)
    before: Kept = predictor.state(two).kept
    after: Kept = predictor.state(CONTRADICTING).kept
    click = two.last

    strongest = []
    for kept in (before, after):
        row, column = (round(v) for v in kept.window.point(click))
        strongest.append(kept.change.reshape(2, 128, 128)[1, row, column])

    assert before.window != after.window
    assert strongest[0] > 0
    assert strongest[1] > 0.2 * strongest[0]


def test_too_few_iterations_are_admitted() -> None:
    """Given a network that hears clicks, but never as much as it sees."""
    predictor = refined(most=1.0, bounds=Bounds(iterations=1))

    assert unsatisfied(predictor, CONTRADICTING.prefix(2)) == 1
    assert predictor.remark == (
        "could not satisfy click 2: the iterations it may take were not enough"
    )


def test_too_little_time_is_admitted() -> None:
    predictor = refined(0.05, bounds=Bounds(seconds=0))
    predictor.predict_patch(CONTRADICTING)

    assert predictor.remark == (
        "could not satisfy clicks 2 and 3: the time it may take was not enough"
    )


def test_a_network_that_hears_nothing_is_admitted() -> None:
    predictor = refined(0.0)
    predictor.predict_patch(CONTRADICTING.prefix(2))

    assert predictor.remark == (
        "could not satisfy click 2: no small change of what the network is told does"
    )


def test_a_refinement_can_be_cancelled_and_asked_for_again() -> None:
    wishes = iter([False, False, True])
    predictor = refined(is_cancelled=lambda: next(wishes, False))

    with pytest.raises(Cancelled):
        predictor.predict(CONTRADICTING)

    np.testing.assert_array_equal(
        predictor.predict(CONTRADICTING), refined().predict(CONTRADICTING)
    )


# ------------------------------------------------------------------ whatever the clicks

some_clicks = st.lists(
    st.builds(Click, st.integers(0, 130), st.integers(0, 156), st.booleans()),
    min_size=1,
    max_size=5,
    unique_by=lambda click: (click.row, click.column),
).map(lambda items: Clicks(tuple(items)))
few = settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow]
)


@few
@given(clicks=some_clicks)
def test_every_click_is_on_its_side_or_the_remark_says_which_is_not(
    clicks: Clicks,
) -> None:
    predictor = refined()
    patch = predictor.predict_patch(clicks)
    wrong = [n for n, c in enumerate(clicks, 1) if not agrees(patch, (c,))]

    if not clicks.positive:
        return
    said = str(predictor.remark)
    assert bool(wrong) == (predictor.remark is not None)
    assert all(str(number) in said for number in wrong)


@few
@given(clicks=some_clicks, detour=some_clicks)
def test_one_by_one_all_at_once_and_after_undo_the_answers_are_equal(
    clicks: Clicks, detour: Clicks
) -> None:
    used = refined()
    for length in range(len(clicks)):
        used.predict_patch(clicks.prefix(length))
    used.predict_patch(detour)

    np.testing.assert_array_equal(used.predict(clicks), refined().predict(clicks))


# ------------------------------------------------------------ every variant and network


@cache
def cells() -> Windowed:
    segmenter = load_segmenter(device="cpu")
    assert isinstance(segmenter, Windowed)
    return segmenter


def of_cells(variant: Variant, inertia: float = 1e-3) -> tuple[Kept, Any, Told]:
    """A refinement of ``cells`` for a click that its maps do not show."""
    window = Window.around(60, 70, 96, 128)
    unheard = Clicks.at(positive=[(60, 70)], negative=[(60, 62)])
    predictor = cells().prepare(picture())
    seen = predictor.looked(window)
    heard = predictor.told(window, None, ON_CELL)
    told = predictor.told(window, None, unheard)
    drawn = guides([heard], 3.0)
    (answer,) = cells().model.answer(seen, drawn)
    refiner = Refiner(BRS(cells(), variant, inertia=inertia))
    after, kept = refiner.refined(seen, drawn, told, answer, None)
    assert kept is not None
    return kept, after, told


@pytest.mark.parametrize("variant", VARIANTS)
def test_cells_obeys_a_click_that_it_was_not_told(variant: Variant) -> None:
    before = deepcopy(cells().model.net.state_dict())  # type: ignore[attr-defined]

    kept, after, told = of_cells(variant)

    assert kept.descent.end == "content"
    assert not Places.of(told).wrong(after.logits[0]).any()
    assert list(kept.descent.energies) == sorted(kept.descent.energies, reverse=True)
    for name, tensor in cells().model.net.state_dict().items():  # type: ignore[attr-defined]
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_a_change_every_network_answers_as_it_did(variant: Variant) -> None:
    """Bit by bit: zeros mean the original maps, features and weights."""
    for segmenter in (cells(), *(tiny_segmenter(name) for name in NETWORKS)):
        predictor = segmenter.prepare(picture())
        window = Window.around(60, 70, 96, 128)
        told = predictor.told(window, None, ON_CELL)
        seen, drawn = predictor.looked(window), predictor.tell([told])
        (usual,) = segmenter.model.answer(seen, drawn)
        question = segmenter.model.question(seen, drawn)  # type: ignore[attr-defined]
        turning = handle(question, variant)

        zeros = torch.zeros(turning.shape)
        with torch.no_grad():
            logits, _ = turning.answer(zeros)

        np.testing.assert_array_equal(logits.numpy(), usual.logits)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_s_clicks_are_right_or_named(name: str) -> None:
    segmenter = BRS(tiny_segmenter(name), bounds=Bounds(iterations=3))
    predictor = segmenter.prepare(picture())
    net = tiny_segmenter(name).model.images.net  # type: ignore[attr-defined]
    before = deepcopy(net.state_dict())

    wrong = unsatisfied(predictor, CONTRADICTING)

    assert (wrong > 0) == (predictor.remark is not None)
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not any(one.grad is not None for one in net.parameters())


class Six(Deaf):
    """Six masks; the network means the third."""

    masks = 6

    def forward(self, image: Tensor, maps: Tensor) -> OfSix:
        logits = super().forward(image, maps).logits
        shifted = logits + torch.linspace(-2, 2, 6)[:, None, None]
        return OfSix(shifted, torch.tensor([[0.0, 1, 5, 2, 1, 0]]))


def test_the_mask_that_is_meant_is_refined_and_the_others_stay_alternatives() -> None:
    predictor = BRS(segmenter_of(Six())).prepare(picture())

    found = predictor.alternatives(CONTRADICTING)

    assert len(found) == 6
    assert unsatisfied(predictor, CONTRADICTING) == 0
    np.testing.assert_array_equal(found[0][0], predictor.predict(CONTRADICTING))


def test_the_whole_image_can_be_refined_like_a_window() -> None:
    predictor = BRS(Whole.of(deaf())).prepare(picture())

    assert unsatisfied(predictor, CONTRADICTING) == 0
    assert predictor.predict(CONTRADICTING).shape == (131, 157)


@pytest.mark.parametrize("extent", [32, 96, 128, 200, 301])
def test_a_click_s_probability_is_the_one_that_the_user_sees(extent: int) -> None:
    window = Window.around(80, 80, extent, 128)
    logits = np.random.default_rng(0).normal(0, 3, (128, 128)).astype(np.float32)
    clicks = tuple(
        Click(window.top + n, window.left + (7 * n) % extent)
        for n in range(0, extent, 5)
    )
    shown, offset = back(1 / (1 + np.exp(-logits)), window, (2000, 2000))
    inside = [c for c in clicks if c.row >= 0 and c.column >= 0]

    places = Places.of(Told(window, tuple(inside)))
    said = places.said(torch.from_numpy(logits).double().sigmoid())

    expected = [shown[c.row - offset[0], c.column - offset[1]] for c in inside]
    np.testing.assert_allclose(said, expected, atol=1e-5)


DEVICES = ["cuda"] if torch.cuda.is_available() else []


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_another_device_gives_the_same_answer(device: str, variant: Variant) -> None:
    there = BRS(load_segmenter(device=device), variant)
    here = BRS(cells(), variant)

    np.testing.assert_allclose(
        there.prepare(picture()).predict(CONTRADICTING),
        here.prepare(picture()).predict(CONTRADICTING),
        atol=1e-3,
    )


def test_a_network_without_gradients_is_refused() -> None:
    with pytest.raises(ValueError, match="object cannot be differentiated: BRS needs"):
        BRS(Windowed(object()))  # type: ignore[arg-type]


def test_a_network_whose_layers_are_unknown_can_be_refined_by_its_maps_only() -> None:
    predictor = BRS(deaf(), "b").prepare(picture())

    with pytest.raises(ValueError, match="no variant 'b' for Deaf; choose 'maps'"):
        predictor.predict(CONTRADICTING)
