"""What every method of the catalogue promises, tried on each of them.

The papers' networks were trained for an hour of a laptop, and know neither masks to
start from nor accepted objects: they need not find a cell by one click. Promises that
do not need weights that learnt something are tried on them with a few random weights,
too. A network that was converted keeps them all. Of U-Net, which saw little but phase
contrast, FCN, which knows five kinds of cells, and DHSNet no drawn cell is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import dask.array as da
import numpy as np
import pytest
from numpy.typing import NDArray

from napari_iseg import ENTRIES, Click, Clicks, load_segmenter, make_interactive
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.polished import MARK, is_polished, unpolished
from napari_iseg.refine.conversion import AllAtOnce, InWindows
from napari_iseg.refine.polish import Polished
from napari_iseg.segmenter import Segmenter
from napari_iseg.widest_error import next_click
from tests.own_networks import Bright
from tests.tiny_papers import tiny_segmenter

ROWS, COLUMNS = np.indices((256, 256))
CELL = (ROWS - 128) ** 2 + (COLUMNS - 120) ** 2 < 30**2
ON_CELL = Clicks.at(positive=[(128, 120)])
WITH_CORRECTIONS = Clicks.at(
    positive=[(128, 120), (110, 110)], negative=[(40, 40), (128, 180)]
)


UNTRAINED = "untrained "
UNTRAINED_ONES = [f"{UNTRAINED}{name}" for name in NETWORKS]
SEVERAL_POLISHED = f"{UNTRAINED}latent-diversity{MARK}"  # many masks, none obeys
POLISHED = [f"cells{MARK}", f"graph-cut{MARK}"]  # a network's answer, and a mask
PUBLISHED = [name for name in NETWORKS if name in ENTRIES]
SEEN_LITTLE = ["unet-brs", "fcn-brs", "dhsnet-brs"]  # no cell like the drawn one
OTHERS = [name for name in ENTRIES if name not in (*PUBLISHED, *SEEN_LITTLE)]
OWN: Mapping[str, Mapping[str, Any]] = {  # a network as users bring them, by views
    "own by windows": {"view": InWindows(side=96)},
    "own all at once": {"view": AllAtOnce()},
    "own whole foreground": {"whole": True},
}
OBEDIENT = [
    *(name for name, entry in ENTRIES.items() if entry.obeys),
    *POLISHED,
    *OWN,
]


@cache
def loaded(name: str) -> Segmenter:
    if name.startswith(UNTRAINED):
        segmenter = tiny_segmenter(unpolished(name).removeprefix(UNTRAINED))
        return Polished(segmenter) if is_polished(name) else segmenter
    if name in OWN:
        return make_interactive(Bright(0.41), device="cpu", **OWN[name])
    return load_segmenter(name, device="cpu")


def picture() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).normal(60, 8, CELL.shape)
    return np.clip(noise + 90 * CELL, 0, 255).astype(np.uint8)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


@pytest.fixture(params=[*OTHERS, *POLISHED, *OWN])
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    return loaded(request.param)


@pytest.fixture(params=[*PUBLISHED, *UNTRAINED_ONES])
def published(request: pytest.FixtureRequest) -> Segmenter:
    return loaded(request.param)


@pytest.fixture(params=OBEDIENT)
def obedient(request: pytest.FixtureRequest) -> Segmenter:
    return loaded(request.param)


@pytest.fixture(params=[*ENTRIES, *UNTRAINED_ONES, *POLISHED, *OWN, SEVERAL_POLISHED])
def anyone(request: pytest.FixtureRequest) -> Segmenter:
    return loaded(request.param)


def test_one_click_finds_a_cell(segmenter: Segmenter) -> None:
    probability = segmenter.prepare(picture()).predict(ON_CELL)

    assert probability.dtype == np.float32
    assert probability.shape == CELL.shape
    assert 0 <= probability.min() <= probability.max() <= 1
    assert iou(probability > 0.5, CELL) > 0.85


@pytest.mark.parametrize("name", ["cells", *PUBLISHED])
def test_a_cell_is_found_by_five_clicks_at_the_latest(name: str) -> None:
    """Given corrections where the answer is most wrong."""
    predictor = loaded(name).prepare(picture())
    mask, clicks, best = np.zeros(CELL.shape, bool), Clicks(), 0.0

    while best < 0.6 and len(clicks) < 5:
        correction = next_click(CELL, mask, clicks)
        assert correction is not None
        clicks = clicks.adding(correction)
        mask = predictor.predict(clicks) > 0.5
        best = max(best, iou(mask, CELL))

    assert best > 0.6


def test_every_clicked_pixel_carries_its_label(obedient: Segmenter) -> None:
    mask = obedient.prepare(picture()).predict(WITH_CORRECTIONS) > 0.5

    assert all(mask[c.row, c.column] == c.is_positive for c in WITH_CORRECTIONS)


def test_a_contradiction_on_the_cell_is_obeyed_too(obedient: Segmenter) -> None:
    clicks = ON_CELL.adding(Click(120, 112, is_positive=False))

    mask = obedient.prepare(picture()).predict(clicks) > 0.5

    assert mask[128, 120]
    assert not mask[120, 112]


def test_equal_clicks_give_equal_arrays_in_any_order_of_calls(
    anyone: Segmenter,
) -> None:
    one, other = anyone.prepare(picture()), anyone.prepare(picture())
    first = one.predict(ON_CELL)
    one.predict(WITH_CORRECTIONS)

    again, fresh = one.predict(ON_CELL), other.predict(ON_CELL)

    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, fresh)
    np.testing.assert_array_equal(
        one.predict(WITH_CORRECTIONS), other.predict(WITH_CORRECTIONS)
    )


def test_the_patch_is_the_answer_without_its_surroundings(anyone: Segmenter) -> None:
    predictor = anyone.prepare(picture())

    patch = predictor.predict_patch(WITH_CORRECTIONS)

    np.testing.assert_array_equal(
        patch.on(CELL.shape), predictor.predict(WITH_CORRECTIONS)
    )


def test_the_first_alternative_is_the_answer(anyone: Segmenter) -> None:
    predictor = anyone.prepare(picture())

    found = predictor.alternatives(ON_CELL)

    np.testing.assert_array_equal(found[0][0], predictor.predict(ON_CELL))


KINDS: dict[str, Callable[[NDArray[np.uint8]], object]] = {
    "uint16": lambda im: im.astype(np.uint16) * 200,
    "big-endian": lambda im: im.astype(">u2"),
    "float": lambda im: im / 255,
    "negative integers": lambda im: im.astype(np.int64) - 50,
    "every second pixel": lambda im: np.repeat(np.repeat(im, 2, 0), 2, 1)[::2, ::2],
    "colour": lambda im: np.stack([im] * 3, -1),
    "colour with alpha": lambda im: np.dstack([im] * 3 + [np.full_like(im, 255)]),
    "dask": lambda im: da.from_array(im, chunks=64),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image_is_read(segmenter: Segmenter, kind: str) -> None:
    mask = segmenter.prepare(KINDS[kind](picture())).predict(ON_CELL) > 0.5  # type: ignore[arg-type]

    assert iou(mask, CELL) > 0.85


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image_is_answered_like_a_plain_one(
    published: Segmenter, kind: str
) -> None:
    plain = published.prepare(picture()).predict(WITH_CORRECTIONS)

    answer = published.prepare(KINDS[kind](picture())).predict(WITH_CORRECTIONS)  # type: ignore[arg-type]

    np.testing.assert_allclose(answer, plain, atol=0.01)


def test_broken_pixels_break_no_probability(published: Segmenter) -> None:
    image = picture().astype(np.float32)
    image[0, 0], image[128, 100], image[60, 60] = np.nan, np.inf, -np.inf

    probability = published.prepare(image).predict(WITH_CORRECTIONS)

    assert 0 <= probability.min() <= probability.max() <= 1


def test_accepted_objects_are_no_news_for_a_paper_s_network(
    published: Segmenter,
) -> None:
    others = (ROWS - 60) ** 2 + (COLUMNS - 60) ** 2 < 400

    answer = published.prepare(picture(), others=others).predict(ON_CELL)

    np.testing.assert_array_equal(answer, published.prepare(picture()).predict(ON_CELL))
    with pytest.raises(ValueError, match="others must have the image's shape"):
        published.prepare(picture(), others=others[:-1])


def test_a_prior_is_shown_until_there_is_a_click(published: Segmenter) -> None:
    prior = (CELL & (COLUMNS < 130)).astype(np.float32)

    predictor = published.prepare(picture(), prior=prior)

    np.testing.assert_array_equal(predictor.predict(Clicks()) > 0.5, prior > 0.5)
    assert predictor.predict(ON_CELL).shape == CELL.shape


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (65, 33)])
def test_images_of_any_shape_are_answered_with_probabilities(
    anyone: Segmenter, shape: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    middle = (shape[0] // 2, shape[1] // 2)

    probability = anyone.prepare(image).predict(Clicks.at([middle], [(0, 0)]))

    assert probability.shape == shape
    assert probability.dtype == np.float32
    assert 0 <= probability.min() <= probability.max() <= 1


def test_an_image_that_is_read_in_parts_is_answered_like_an_array(
    anyone: Segmenter,
) -> None:
    lazy = da.from_array(picture(), chunks=64)

    answer = anyone.prepare(lazy).predict(WITH_CORRECTIONS)

    np.testing.assert_array_equal(
        answer, anyone.prepare(picture()).predict(WITH_CORRECTIONS)
    )


def test_clicks_one_by_one_are_answered_like_clicks_at_once(anyone: Segmenter) -> None:
    one, other = anyone.prepare(picture()), anyone.prepare(picture())
    for length in range(1, len(WITH_CORRECTIONS)):
        one.predict(WITH_CORRECTIONS.prefix(length))

    np.testing.assert_array_equal(
        one.predict(WITH_CORRECTIONS), other.predict(WITH_CORRECTIONS)
    )


def test_every_alternative_is_offered_with_a_score_best_first(
    anyone: Segmenter,
) -> None:
    found = anyone.prepare(picture()).alternatives(WITH_CORRECTIONS)
    scores = [score for _, score in found]

    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_broken_pixels_do_little_harm(segmenter: Segmenter) -> None:
    image = picture().astype(np.float32)
    image[0, 0], image[128, 100], image[60, 60] = np.nan, np.inf, -np.inf

    assert iou(segmenter.prepare(image).predict(ON_CELL) > 0.5, CELL) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (64, 64), (65, 33)])
def test_images_without_contrast_give_an_empty_mask(
    anyone: Segmenter, shape: tuple[int, int]
) -> None:
    mask = anyone.prepare(np.ones(shape, np.uint8)).predict(Clicks.at([(0, 0)])) > 0.5

    assert not mask.any()


def test_no_click_gives_an_empty_mask(anyone: Segmenter) -> None:
    assert not (anyone.prepare(picture()).predict(Clicks()) > 0.5).any()


@pytest.mark.parametrize("place", [(-1, 3), (3, 999)])
def test_a_click_outside_is_refused(anyone: Segmenter, place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside the image of 256 x 256 pixels"):
        anyone.prepare(picture()).predict(Clicks.at([place]))


def test_accepted_objects_may_be_given_and_must_fit(segmenter: Segmenter) -> None:
    others = (ROWS - 60) ** 2 + (COLUMNS - 60) ** 2 < 400

    mask = segmenter.prepare(picture(), others=others).predict(ON_CELL) > 0.5

    assert iou(mask, CELL) > 0.8
    with pytest.raises(ValueError, match="others must have the image's shape"):
        segmenter.prepare(picture(), others=others[:-1])


def test_a_prior_is_where_the_clicks_begin(segmenter: Segmenter) -> None:
    prior = (CELL & (COLUMNS < 130)).astype(np.float32)

    predictor = segmenter.prepare(picture(), prior=prior)
    mask = predictor.predict(Clicks.at(positive=[(128, 140)])) > 0.5

    np.testing.assert_array_equal(predictor.predict(Clicks()) > 0.5, prior > 0.5)
    assert iou(mask, CELL) > iou(prior > 0.5, CELL)


def test_a_cell_at_the_border_is_found(segmenter: Segmenter) -> None:
    image = picture()[110:, 105:]

    mask = segmenter.prepare(image).predict(Clicks.at([(18, 15)])) > 0.5

    assert iou(mask, CELL[110:, 105:]) > 0.8
