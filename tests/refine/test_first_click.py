"""One object of a network with classes: the first positive click names its class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_iseg import Click, Clicks, make_interactive
from napari_iseg.intensities import Unscaled
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.conversion import Binary, InWindows, Reads, Softmax
from napari_iseg.refine.first_click import ByFirstClick, FirstClickPredictor
from napari_iseg.refine.papers import segmenter_of
from tests.own_networks import Bright, Tones
from tests.tiny_papers import tiny_net

GREY, BRIGHT = (30, 60), (30, 100)  # the network's own classes 1 and 2
DARK = (30, 20)  # its background


def picture() -> np.ndarray:
    """Dark, grey and bright, from left to right; grey and bright touch."""
    return np.repeat(np.float32([0.2, 0.5, 0.8]), 40)[None].repeat(60, 0)


def segmenter(*, split: bool = False, **how: Any) -> ByFirstClick:
    reads = Reads(intensities=Unscaled())
    brs = make_interactive(Tones(), output=Softmax(), reads=reads, device="cpu", **how)
    return ByFirstClick(brs, split)


def prepared(**how: Any) -> FirstClickPredictor:
    return segmenter().prepare(picture(), **how)


def test_the_object_is_of_the_class_that_is_clicked_first() -> None:
    """
    Given an image with objects of two classes that touch,
    when the user clicks on one of them,
    then the other one is none of the object, whichever was clicked on.
    """
    predictor = prepared()

    grey = predictor.predict(Clicks.at([GREY])) > 0.5
    bright = predictor.predict(Clicks.at([BRIGHT])) > 0.5

    assert grey[GREY]
    assert bright[BRIGHT]
    assert not (grey & bright).any()
    assert grey[:, 45:75].all()
    assert bright[:, 85:].all()


def test_later_clicks_are_about_the_same_class() -> None:
    """
    Given an object whose class the first click named,
    when a click says that a place of another class belongs to it, or that a place of
    this class does not,
    then each clicked pixel has its label.
    """
    first = Clicks.at([GREY])
    predictor = prepared()

    for click in (Click(*BRIGHT, is_positive=True), Click(30, 50, is_positive=False)):
        mask = predictor.predict(first.adding(click)) > 0.5
        assert mask[GREY]
        assert mask[click.row, click.column] == click.is_positive


def test_a_click_on_the_background_still_names_an_object() -> None:
    """
    Given a place that the network takes for background,
    when the user clicks there,
    then the class is the likeliest of the others, and the click is obeyed.
    """
    predictor = prepared()

    mask = predictor.predict(Clicks.at([DARK])) > 0.5

    assert predictor.label(Clicks.at([DARK])) == 1
    assert mask[DARK]


def test_negative_clicks_alone_correct_a_prior() -> None:
    """
    Given a mask of before that is too large,
    when a negative click comes first,
    then it is obeyed and the rest of the mask stays; nobody has named a class.
    """
    prior = np.zeros((60, 120), np.float32)
    prior[:, 45:] = 0.9
    predictor = prepared(prior=prior)
    clicks = Clicks.at(negative=[(5, 60)])

    mask = predictor.predict(clicks) > 0.5

    assert predictor.label(clicks) is None
    assert not mask[5, 60]
    assert mask[30, 100]


def test_without_a_click_it_says_what_is_no_background() -> None:
    predictor = prepared()

    automatic = predictor.automatic() > 0.5

    assert not (predictor.predict(Clicks()) > 0.5).any()
    assert automatic[:, 45:].all()
    assert not automatic[:, :35].any()


def test_windows_of_a_large_image_name_classes_too() -> None:
    wide = picture().repeat(5, 1)
    predictor = segmenter(view=InWindows(side=96)).prepare(wide)

    assert predictor.label(Clicks.at([(30, 300)])) == 1
    assert predictor.label(Clicks.at([(30, 500)])) == 2


@pytest.mark.parametrize("split", [False, True])
def test_one_of_two_objects_that_touch_can_be_taken(split: bool) -> None:
    """
    Given two grey cells that touch, and a bright one beside them,
    when the user clicks on a grey one,
    then it alone is the object if objects are to be split, else both grey ones are.
    """
    rows, columns = np.ogrid[:60, :120]
    image = np.full((60, 120), 0.2, np.float32)
    for tone, column in ((0.5, 25), (0.5, 55), (0.8, 85)):
        image[np.hypot(rows - 30, columns - column) < 17] = tone

    found = segmenter(split=split).prepare(image).predict(Clicks.at([(30, 25)])) > 0.5

    assert found[30, 25]
    assert found[30, 55] != split
    assert not found[30, 90]


def test_another_class_is_asked_of_the_same_network() -> None:
    """
    Given a large network, perhaps with drop-out,
    when objects of two classes were clicked,
    then both were answered by the same tensors, and the network is not in training.
    """
    predictor = prepared()
    for place in (GREY, BRIGHT):
        predictor.predict(Clicks.at([place]))

    nets = [one.model.net.net for one in predictor.predictors.values()]

    assert len(nets) == 2
    assert all(one is nets[0] for one in nets)
    assert not nets[0].training


def test_networks_without_such_classes_are_refused() -> None:
    binary = make_interactive(Bright(), output=Binary(), device="cpu")

    with pytest.raises(ValueError, match=r"say output=Softmax\(\), not Binary\(\)"):
        ByFirstClick(binary)
    with pytest.raises(ValueError, match="that make_interactive converted, not of Win"):
        ByFirstClick(BRS(segmenter_of(tiny_net("brs"))))
