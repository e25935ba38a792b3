"""A converted network and cells that touch: clicks share its foreground out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg import make_interactive
from napari_iseg.clicks import Click, Clicks
from napari_iseg.nets.window_model import Hypotheses
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.descent import Bounds
from napari_iseg.refine.own_windows import OwnPredictor
from napari_iseg.refine.separated import Separated, SeparatedPredictor
from tests.own_networks import Bright

ROWS, COLUMNS = np.indices((120, 160))
LEFT, RIGHT, AWAY = (60, 60), (60, 86), (20, 140)
LEFT_CELL, RIGHT_CELL = (
    np.hypot(ROWS - row, COLUMNS - column) < 16 for row, column in (LEFT, RIGHT)
)
BESIDE = np.hypot(ROWS - AWAY[0], COLUMNS - AWAY[1]) < 10
IMAGE = ((LEFT_CELL | RIGHT_CELL | BESIDE) * 160 + 40).astype(np.uint8)
DARK = (100, 30)  # what the network takes for background
ON_LEFT = Clicks.at(positive=[LEFT])


def separated(**how) -> Separated:
    return Separated(make_interactive(Bright(), device="cpu"), **how)


def prepared(image=IMAGE, prior=None, **how) -> SeparatedPredictor:
    predictor = separated(**how).prepare(image, prior)
    assert isinstance(predictor, SeparatedPredictor)
    return predictor


def mask(predictor, clicks: Clicks):
    return predictor.predict(clicks) > 0.5


def test_a_click_takes_one_of_two_cells_that_touch():
    """Given a network that takes both for one foreground,
    when one is clicked on, then the other is not in the answer."""
    found = mask(prepared(), ON_LEFT)

    assert found[LEFT]
    assert not found[RIGHT]
    assert found.sum() == pytest.approx(LEFT_CELL.sum(), rel=0.1)


def test_by_clicks_alone_the_neighbour_is_cut_off_when_it_is_refused():
    """Given that nothing but clicks tells cells apart,
    then a click takes both, and a negative one on the neighbour takes it away
    without a step of BRS."""
    predictor = prepared(depth=float("inf"))
    refused = ON_LEFT.adding(Click(*RIGHT, is_positive=False))

    both, one = mask(predictor, ON_LEFT), mask(predictor, refused)

    assert both[RIGHT]
    assert not one[RIGHT]
    assert one.sum() == pytest.approx(LEFT_CELL.sum(), rel=0.1)
    assert predictor.network.state(predictor.told(refused)).kept is None


def test_as_the_paper_has_it_the_network_is_told():
    """Given that nothing is split, when the neighbour is refused,
    then BRS makes the click right."""
    predictor = separated(split=False).prepare(IMAGE)
    assert isinstance(predictor, OwnPredictor)
    refused = ON_LEFT.adding(Click(*RIGHT, is_positive=False))

    assert mask(predictor, ON_LEFT)[RIGHT]
    assert not mask(predictor, refused)[RIGHT]
    assert predictor.state(refused).kept is not None


def test_a_click_on_what_the_network_missed_is_answered_by_brs():
    predictor = prepared()
    missed = ON_LEFT.adding(Click(60, 42))

    found = mask(predictor, missed)

    assert found[60, 42]
    assert found[LEFT]
    assert not found[RIGHT]
    assert predictor.network.state(missed).kept is not None


def test_the_network_is_told_what_it_may_agree_with():
    """Negative clicks on its background are told, so that BRS leaves it alone there;
    those on its foreground are not."""
    clicks = ON_LEFT.adding(Click(*DARK, is_positive=False))
    refused = clicks.adding(Click(*AWAY, is_positive=False))

    assert prepared().told(refused) == clicks


def test_what_brs_cannot_make_right_is_made_right_around_the_click():
    """Given no iterations to speak of, when a dark pixel is clicked on positively,
    then it is in the answer all the same, and nothing is said."""
    brs = make_interactive(Bright(), device="cpu")
    hurried = Separated(BRS(brs.segmenter, bounds=Bounds(seconds=0.0)))
    predictor = hurried.prepare(IMAGE)
    clicks = ON_LEFT.adding(Click(*DARK))

    assert mask(predictor, clicks)[DARK]
    assert predictor.remark is None


CLICKS = [
    Click(*LEFT),
    Click(62, 90, is_positive=False),
    Click(60, 42),
    Click(75, 62, is_positive=False),
    Click(*AWAY),
    Click(100, 100, is_positive=False),
    Click(58, 84),
]


def test_every_click_is_obeyed_after_every_click():
    predictor = prepared()

    for length in range(1, len(CLICKS) + 1):
        clicks = Clicks(tuple(CLICKS[:length]))
        found = mask(predictor, clicks)
        assert all(found[c.row, c.column] == c.is_positive for c in clicks)


def test_undo_and_replay_give_equal_answers():
    """Whatever was asked before, and whether one by one or all at once."""
    once, again = prepared(), prepared()
    histories = [Clicks(tuple(CLICKS[:n])) for n in range(1, len(CLICKS) + 1)]

    answers = [once.predict(clicks) for clicks in histories]

    for clicks, answer in reversed(list(zip(histories, answers, strict=True))):
        np.testing.assert_array_equal(again.predict(clicks), answer)
        np.testing.assert_array_equal(once.predict(clicks), answer)


def test_a_found_object_of_two_cells_loses_the_one_that_is_refused():
    """Given a found object of two cells, when one is refused,
    then the other stays as it was found; without a click nothing changes."""
    prior = (LEFT_CELL | RIGHT_CELL).astype(np.float32)
    predictor = prepared(prior=prior)
    refused = Clicks.at(negative=[RIGHT])

    np.testing.assert_array_equal(predictor.predict(Clicks()), prior)
    found = mask(predictor, refused)

    assert found[LEFT]
    assert not found[RIGHT]
    assert found.sum() == pytest.approx(LEFT_CELL.sum(), rel=0.1)


def test_a_corrected_object_has_the_score_of_its_own_pixels():
    """Whether the network was asked or not: no answer is offered with 0 %."""
    prior = (LEFT_CELL | RIGHT_CELL).astype(np.float32)

    ((_, found),) = prepared().alternative_patches(ON_LEFT)
    ((_, corrected),) = prepared(prior=prior).alternative_patches(
        Clicks.at(negative=[RIGHT])
    )
    ((_, nothing),) = prepared().alternative_patches(Clicks())

    assert 0.5 < found < 1
    assert corrected == 1
    assert nothing == 0


def test_a_found_object_gets_what_a_positive_click_adds():
    prior = LEFT_CELL.astype(np.float32)

    found = mask(prepared(prior=prior), Clicks.at(positive=[RIGHT]))

    assert found[LEFT]
    assert found[RIGHT]


def test_without_a_positive_click_there_is_nothing():
    assert not mask(prepared(), Clicks.at(negative=[LEFT])).any()


def test_a_constant_image_has_no_object_and_a_sentence_says_so():
    predictor = prepared(np.full((120, 160), 7, np.uint8))

    assert not mask(predictor, ON_LEFT).any()
    assert predictor.remark.startswith("the image is constant around the click")


def test_clicks_outside_are_refused():
    with pytest.raises(ValueError, match="outside the image of 120 x 160"):
        prepared().predict(Clicks.at(positive=[(120, 3)]))


def test_brs_works_in_a_window_no_larger_than_the_click_needs(monkeypatch):
    """Given a cell so long that the network is shown a window of 512 pixels,
    when a click beside it is made right, then BRS has worked in one of 256."""
    long = np.full((300, 600), 30, np.uint8)
    long[140:160, 50:550] = 200
    predictor = prepared(long)
    clicks = Clicks.at(positive=[(150, 300), (120, 300)])
    sides = []
    refined = predictor.network.refined

    def watched(window, state, clicks, answer: Hypotheses):
        sides.append((len(clicks), window.side))
        return refined(window, state, clicks, answer)

    monkeypatch.setattr(predictor.network, "refined", watched)
    found = mask(predictor, clicks)

    assert sides == [(1, 512), (2, 256)]
    assert found[120, 300]
    assert found[150, 60]
    assert found[150, 540]
