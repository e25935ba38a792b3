"""A click names a class, as with the interactive FCN of the BRS paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg import make_interactive
from napari_iseg.intensities import Unscaled
from napari_iseg.refine.class_clicks import ByClass, ClassClick, ClassPredictor
from napari_iseg.refine.conversion import (
    AllAtOnce,
    Binary,
    InWindows,
    MultiLabel,
    Reads,
    Softmax,
)
from napari_iseg.refine.papers import segmenter_of
from tests.own_networks import Bright, Tones
from tests.tiny_papers import tiny_net

GREY_IS_BRIGHT = ClassClick(30, 60, 2)
DARK_IS_GREY = ClassClick(10, 10, 1)


def picture(columns: int = 40) -> np.ndarray:
    """Dark, grey and bright, from left to right."""
    return np.repeat(np.float32([0.2, 0.5, 0.8]), columns)[None].repeat(60, 0)


def prepared(image: Any = None, output: Any = None, **how: Any) -> ClassPredictor:
    segmenter = make_interactive(
        Tones(),
        output=output or Softmax(),
        reads=Reads(intensities=Unscaled()),
        device="cpu",
        **how,
    )
    return ByClass(segmenter).prepare(picture() if image is None else image)


def test_without_a_click_the_answer_is_the_network_s():
    predictor = prepared()
    padded = torch.from_numpy(picture())[None, None]
    with torch.inference_mode():
        expected = Tones()(padded).softmax(1)[0].numpy()

    np.testing.assert_allclose(predictor.predict(), expected, atol=1e-5)
    assert [*predictor.labels()[30, [20, 60, 100]]] == [0, 1, 2]
    assert predictor.labels().dtype == np.int32


def test_clicks_of_several_classes_are_obeyed_together():
    clicks = [GREY_IS_BRIGHT, DARK_IS_GREY]

    predictor = prepared()
    labels = predictor.labels(clicks)

    assert labels[30, 60] == 2
    assert labels[10, 10] == 1
    assert labels[30, 100] == 2
    assert predictor.remark is None


def test_a_click_may_say_what_a_pixel_is_not():
    labels = prepared().labels([ClassClick(30, 60, 1, is_positive=False)])

    assert labels[30, 60] != 1


def test_a_click_that_agrees_changes_nothing():
    predictor = prepared()

    np.testing.assert_array_equal(
        predictor.predict([ClassClick(30, 60, 1)]), predictor.predict()
    )


def test_labels_that_may_overlap_are_clicked_one_by_one():
    """A pixel that is grey may be said to be bright as well."""
    predictor = prepared(output=MultiLabel(foreground=0))

    chances = predictor.predict([GREY_IS_BRIGHT])

    assert chances[2, 30, 60] > 0.5
    assert predictor.remark is None


def test_a_window_elsewhere_leaves_what_was_corrected():
    wide = picture(200)
    predictor = prepared(wide, view=InWindows(side=96))
    first, second = ClassClick(30, 300, 2), ClassClick(30, 100, 1)

    labels = predictor.labels([first, second])

    assert predictor.state((first,)).window != predictor.state((first, second)).window
    assert labels[30, 300] == 2
    assert labels[30, 100] == 1


def test_images_that_are_shown_smaller_are_corrected_in_their_own_pixels():
    predictor = prepared(picture(100), view=AllAtOnce(longest=120))

    labels = predictor.labels([ClassClick(30, 150, 2)])

    assert labels.shape == (60, 300)
    assert labels[30, 150] == 2
    assert predictor.remark is None


some_clicks = st.lists(
    st.builds(
        ClassClick,
        st.integers(0, 59),
        st.integers(0, 119),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda click: (click.row, click.column),
)
few = settings(deadline=None, max_examples=6)


@few
@given(clicks=some_clicks, detour=some_clicks)
def test_one_by_one_all_at_once_and_after_undo_the_answers_are_equal(clicks, detour):
    used = prepared()
    for length in range(len(clicks)):
        used.predict(clicks[:length])
    used.predict(detour)

    np.testing.assert_array_equal(used.predict(clicks), prepared().predict(clicks))


@few
@given(clicks=some_clicks)
def test_every_click_has_its_class_or_the_remark_says_which_has_not(clicks):
    predictor = prepared()
    labels = predictor.labels(clicks)
    wrong = [
        number
        for number, one in enumerate(clicks, 1)
        if (labels[one.row, one.column] == one.label) != one.is_positive
    ]

    assert bool(wrong) == (predictor.remark is not None)
    assert all(str(number) in str(predictor.remark) for number in wrong)


@pytest.mark.parametrize(
    ("click", "sentence"),
    [
        (ClassClick(30, 60, 3), "no class 3: the network has classes 0 to 2"),
        (ClassClick(30, 120, 1), "outside the image of 60 x 120 pixels"),
    ],
)
def test_clicks_that_cannot_be_are_refused(click: ClassClick, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        prepared().predict([click])


def test_a_network_made_for_clicks_has_no_classes():
    segmenter = make_interactive(Bright(), output=Binary(), device="cpu")
    other = segmenter_of(tiny_net("ifcn"))

    assert ByClass(segmenter).prepare(picture()).predict().shape == (1, 60, 120)
    with pytest.raises(ValueError, match="that make_interactive converted, not of Win"):
        ByClass(type(segmenter)(other))
