"""Windowed inference keeps its word, whatever the network says."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_iseg.clicks import Click, Clicks
from napari_iseg.nets.window_model import Hypotheses
from napari_iseg.refine.windowed import Policy, Windowed, WindowedPredictor
from napari_iseg.segmenter import Patch


class Brightness:
    """Takes what is bright for the object: known answers without a network."""

    device = "cpu"

    def __init__(self) -> None:
        self.looked = 0

    def look(self, image: NDArray[np.float32]) -> Any:
        self.looked += len(image)
        return image[..., 0]

    def answer(self, seen: Any, guides: NDArray[np.float32]) -> list[Hypotheses]:
        bright = (seen - 0.5) * 12
        # the share of the window that the object fills decides the score
        fill = (bright > 0).mean((1, 2))
        scores = 1 - np.abs(fill - 0.3)
        return [
            Hypotheses(
                np.stack([b, b - 1, b + 1]).astype(np.float32),
                np.array([s, s - 0.1, s - 0.2], np.float32).clip(0, 1),
            )
            for b, s in zip(bright, scores, strict=True)
        ]

    glance = answer


def squares(side: int = 600) -> NDArray[np.uint8]:
    image = np.full((side, side), 20, np.uint8)
    image[100:140, 200:240] = 200
    image[300:500, 250:450] = 220
    return image


def prepared(image: Any = None, **more: Any) -> WindowedPredictor:
    return Windowed(Brightness()).prepare(squares() if image is None else image, **more)


def iou(patch: Patch, truth: NDArray[np.bool_]) -> float:
    mask = patch.on(truth.shape) > 0.5
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize(
    ("click", "box"),
    [((120, 220), (100, 140, 200, 240)), ((400, 350), (300, 500, 250, 450))],
    ids=["small", "large"],
)
def test_one_click_finds_the_object_at_its_scale(
    click: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    truth = np.zeros((600, 600), bool)
    truth[box[0] : box[1], box[2] : box[3]] = True

    patch = prepared().predict_patch(Clicks.at(positive=[click]))

    assert iou(patch, truth) > 0.95


def test_an_object_that_no_window_holds_is_drawn_where_it_is() -> None:
    """Given a click ten pixels below its upper edge, and enlargements used up."""
    truth = squares() > 100
    policy = Policy(overviews=(64,), enlargements=1)
    predictor = Windowed(Brightness(), policy).prepare(squares())

    mask = predictor.predict(Clicks.at(positive=[(310, 350)])) > 0.5

    assert mask[301, 350]
    assert not (mask & ~truth).any()


clicks_anywhere = st.lists(
    st.builds(Click, st.integers(0, 599), st.integers(0, 599), st.booleans()),
    max_size=5,
    unique_by=lambda click: (click.row, click.column),
).map(lambda items: Clicks(tuple(items)))


@settings(deadline=None, max_examples=25)
@given(clicks=clicks_anywhere)
def test_every_clicked_pixel_carries_its_label(clicks: Clicks) -> None:
    patch = prepared().predict_patch(clicks)

    if clicks.positive:  # without one there is no object to obey for
        assert all((patch.at(c.row, c.column) > 0.5) == c.is_positive for c in clicks)


@settings(deadline=None, max_examples=15)
@given(clicks=clicks_anywhere, detour=clicks_anywhere)
def test_the_answer_is_a_function_of_the_clicks_alone(
    clicks: Clicks, detour: Clicks
) -> None:
    used = prepared()
    used.predict_patch(detour)
    for length in range(len(clicks)):
        used.predict_patch(clicks.prefix(length))

    first, again = used.predict(clicks), used.predict(clicks)
    fresh = prepared().predict(clicks)

    np.testing.assert_array_equal(first, fresh)
    np.testing.assert_array_equal(first, again)


def test_forgetting_everything_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clicks = Clicks.at(positive=[(120, 220), (130, 230)], negative=[(90, 220)])
    usual = prepared().predict(clicks)
    monkeypatch.setattr("napari_iseg.refine.windowed.REMEMBERED", 0)
    monkeypatch.setattr("napari_iseg.refine.windowed.LOOKED_AT", 0)

    forgetful = prepared().predict(clicks)

    np.testing.assert_array_equal(usual, forgetful)


def test_a_later_click_in_the_same_place_reuses_the_image_features() -> None:
    predictor = prepared()
    clicks = Clicks.at(positive=[(120, 220), (119, 219)])
    predictor.predict_patch(clicks)
    model = predictor.model
    assert isinstance(model, Brightness)
    before = model.looked

    predictor.predict_patch(clicks.adding(Click(121, 221)))

    assert model.looked == before


def test_the_patch_is_the_whole_map_without_its_zeros() -> None:
    predictor = prepared()
    clicks = Clicks.at(positive=[(120, 220)])

    whole, patch = predictor.predict(clicks), predictor.predict_patch(clicks)

    assert whole.dtype == np.float32
    assert whole.shape == (600, 600)
    np.testing.assert_array_equal(whole, patch.on((600, 600)))


def test_the_first_alternative_is_the_answer() -> None:
    predictor = prepared()
    clicks = Clicks.at(positive=[(120, 220)])

    found = predictor.alternatives(clicks)

    np.testing.assert_array_equal(found[0][0], predictor.predict(clicks))
    assert all(0 <= score <= 1 for _, score in found)
    assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)


def test_a_mask_that_leaves_its_window_gets_a_larger_one() -> None:
    policy = Policy(overviews=(240,), side=96)
    truth = np.zeros((600, 600), bool)
    truth[300:500, 250:450] = True

    predictor = Windowed(Brightness(), policy).prepare(squares())
    patch = predictor.predict_patch(Clicks.at(positive=[(320, 280)]))

    assert iou(patch, truth) > 0.9


def test_no_click_and_only_negative_clicks_give_an_empty_mask() -> None:
    predictor = prepared()

    assert not (predictor.predict(Clicks()) > 0.5).any()
    assert not (predictor.predict(Clicks.at(negative=[(120, 220)])) > 0.5).any()


def test_a_constant_image_gives_an_empty_mask_and_a_sentence() -> None:
    predictor = prepared(np.full((200, 200), 7, np.uint16))

    mask = predictor.predict(Clicks.at(positive=[(100, 100)])) > 0.5

    assert not mask.any()
    assert "constant around the click" in str(predictor.remark)


def test_a_remark_is_about_the_answer_it_comes_with() -> None:
    image = np.zeros((4000, 4000), np.uint8)
    image[100:140, 200:240] = 200
    predictor = prepared(image)
    nothing, something = Clicks.at([(3000, 3000)]), Clicks.at([(120, 220)])

    remarks = []
    for clicks in (nothing, something, nothing, something):
        predictor.predict_patch(clicks)
        remarks.append(predictor.remark)

    assert remarks[0] == remarks[2]
    assert "constant" in str(remarks[0])
    assert remarks[1] is remarks[3] is None


def test_a_prior_is_corrected_rather_than_replaced() -> None:
    prior = np.zeros((600, 600), np.float32)
    prior[300:500, 250:400] = 1
    predictor = prepared(prior=prior)

    unclicked = predictor.predict(Clicks())
    clicked = predictor.predict_patch(Clicks.at(positive=[(400, 430)]))

    np.testing.assert_array_equal(unclicked > 0.5, prior > 0.5)
    assert clicked.at(400, 430) > 0.5
    assert clicked.at(310, 260) > 0.5


def test_a_lazy_image_answers_like_the_array_and_is_read_near_the_click() -> None:
    image = squares(1600)
    read = []

    def spied(block: NDArray[np.uint8], block_info: Any = None) -> NDArray[np.uint8]:
        read.append(tuple(block_info[0]["chunk-location"]))
        return block

    lazy = da.from_array(image, chunks=100).map_blocks(spied, dtype=np.uint8)
    read.clear()
    clicks = Clicks.at(positive=[(120, 220)])

    answer = prepared(lazy).predict(clicks)

    np.testing.assert_array_equal(answer, prepared(image).predict(clicks))
    assert max(max(place) for place in read) < 8  # chunks; the image has 16 x 16


class Stubborn(Brightness):
    """Sees a cell and its nucleus at the first look; repeats the old answer later."""

    def glance(self, seen: Any, guides: NDArray[np.float32]) -> list[Hypotheses]:
        levels = np.stack([seen - 0.3, seen - 0.8], 1) * 12
        return [Hypotheses(level, np.float32([0.9, 0.5])) for level in levels]

    def answer(self, seen: Any, guides: NDArray[np.float32]) -> list[Hypotheses]:
        return [
            Hypotheses((old[None] - 0.5) * 8, np.float32([0.6])) for old in guides[:, 2]
        ]


def test_a_second_click_can_speak_for_another_reading_of_the_first() -> None:
    image = np.zeros((400, 400), np.uint8)
    image[160:240, 160:240] = 120  # a cell ...
    image[190:210, 190:210] = 255  # ... and its nucleus
    nucleus = image == 255
    predictor = Windowed(Stubborn(), Policy(overviews=(144,))).prepare(image)
    first = Clicks.at(positive=[(200, 200)])
    assert iou(predictor.predict_patch(first), image > 0) > 0.9

    corrected = predictor.predict_patch(first.adding(Click(170, 170, False)))

    assert iou(corrected, nucleus) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 2), (17, 23)])
def test_images_of_odd_shapes_are_answered(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)

    answer = prepared(image).predict(Clicks.at(positive=[(0, 0)]))

    assert answer.shape == shape


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: prepared().predict(Clicks.at([(-1, 3)])),
            "row -1, column 3 is outside",
        ),
        (lambda: prepared().predict(Clicks.at([(3, 600)])), "600 x 600 pixels"),
        (lambda: prepared(prior=np.zeros((5, 5))), r"prior must have .* got \(5, 5\)"),
        (lambda: prepared(others=np.zeros((5, 5), bool)), "others must have"),
    ],
)
def test_what_does_not_fit_is_refused(ask: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ask()
