"""Which method suits a user's own data: clicks counted on accepted masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.click_curve import ClickCurve
from napari_iseg.clicks import Clicks
from napari_iseg.own_data import (
    Failed,
    OwnPlane,
    Sight,
    comparison,
    of_the_user,
    standings,
    verdict,
)
from napari_iseg.segmented_objects import objects_of
from napari_iseg.segmenter import Patch
from napari_iseg.widest_error import next_click
from tests.fakes import BrightPredictor, BrightSegmenter
from tests.gui.conftest import squares
from training.datasets import BenchmarkObject
from training.evaluation import click_curve
from training.robots import ROBOTS


def steps(method: str, *clicks: int) -> list[ClickCurve]:
    """One object for each number: it reaches 90 % after so many clicks."""
    return [
        ClickCurve(
            method,
            "mine",
            "ritm",
            f"image/{i}",
            (0.5,) * (n - 1) + (0.95,),
            (True,) * n,
            (0.01,) * n,
        )
        for i, n in enumerate(clicks)
    ]


class HalfBlind(BrightSegmenter):
    """Sees the left half of the image after one click, all of it after two."""

    def prepare(self, image, prior=None, others=None):
        class Predictor(BrightPredictor):
            def alternative_patches(self, clicks):
                patches = super().alternative_patches(clicks)
                if len(clicks) == 1:
                    for patch, _ in patches:
                        patch.probability[:, 35:] = 0
                return patches

        return Predictor(np.asarray(image), self.wait)


class Broken(BrightSegmenter):
    def prepare(self, image, prior=None, others=None):
        raise RuntimeError("out of memory")


METHODS = {"bright": BrightSegmenter, "half": HalfBlind, "broken": Broken}


def own_plane(name: str = "cells") -> OwnPlane:
    """The two squares of the image, accepted as they are."""
    image = squares(60, 70)
    labels = (image > 225) * 2 + ((image > 0) & (image < 225))
    return OwnPlane(name, lambda: image, tuple(objects_of(labels.astype(np.int32))))


def build(name: str) -> BrightSegmenter:
    return METHODS[name]()


def test_clicks_are_counted_for_every_method_and_object():
    steps = list(comparison([own_plane()], ["half", "bright"], build))

    curves = [s.outcome for s in steps if isinstance(s.outcome, ClickCurve)]
    ranked = standings(curves)
    assert [(one.method, sorted(one.clicks)) for one in ranked] == [
        ("bright", [1, 1]),
        ("half", [1, 2]),
    ]
    assert all(all(curve.obeyed) for curve in curves if curve.method == "bright")
    assert (steps[-1].done, steps[-1].total) == (4, 4)


def test_nothing_is_asked_before_the_first_step_and_one_answer_in_each():
    predictors: list[BrightPredictor] = []

    class Noted(BrightSegmenter):
        def prepare(self, image, prior=None, others=None):
            predictors.append(super().prepare(image))
            return predictors[-1]

    steps = comparison([own_plane()], ["any"], lambda name: Noted())
    assert not predictors
    answers = [sum(len(one.asked) for one in predictors) for _ in steps]

    assert max(np.diff([0, *answers])) == 1
    assert len(predictors) == 1  # one look at the plane serves all its objects


def test_it_is_the_evaluator_s_robot_and_measure():
    """Given the same object, then the evaluator's curve begins in the same way."""
    plane = own_plane()
    curves = [
        step.outcome
        for step in comparison([plane], ["half"], build)
        if isinstance(step.outcome, ClickCurve)
    ]
    for found in plane.objects:
        truth = np.zeros((60, 70), bool)
        truth[found.box.slices] = found.mask
        (ours,) = (one for one in curves if one.sample == str(found.label))
        names = ("half", "cells", "ritm")
        whole = BenchmarkObject(
            str(found.label), squares(60, 70), truth, np.zeros_like(truth)
        )

        theirs = click_curve(HalfBlind(), whole, ROBOTS["ritm"], names)

        made = len(ours.ious)
        assert ours.ious == theirs.ious[:made]
        assert ours.clicks == theirs.clicks[:made]
        assert ours.clicks_to(0.9) == theirs.clicks_to(0.9)


@given(st.integers(0, 2**32 - 1))
def test_the_robot_clicks_in_a_crop_as_in_the_whole_image(seed: int):
    rng = np.random.default_rng(seed)
    truth = np.zeros((20, 24), np.int32)
    truth[rng.random(truth.shape) < 0.3] = 1
    truth[10, 12] = 1
    (found,) = objects_of(truth)
    answer = rng.random((6, 7)).astype(np.float32)
    patch = Patch(answer, (int(rng.integers(0, 15)), int(rng.integers(0, 18))))
    sight = Sight.of(found, patch)

    expected = next_click(truth > 0, patch.on(truth.shape) > 0.5, CLICKED)

    assert sight.next_click(CLICKED) == expected


CLICKED = Clicks.at(positive=[(10, 12), (0, 0)], negative=[(19, 23)])


def test_a_method_that_fails_is_told_once_and_the_others_go_on():
    steps = list(comparison([own_plane()], ["broken", "bright"], build))

    outcomes = [step.outcome for step in steps if step.outcome is not None]
    failures = [one for one in outcomes if isinstance(one, Failed)]
    assert failures == [Failed("broken", "out of memory")]
    assert len(outcomes) == 3
    assert steps[-1].done == steps[-1].total


def test_without_an_accepted_object_the_user_is_told_what_to_do():
    empty = OwnPlane("cells", lambda: squares(60, 70), ())

    with pytest.raises(ValueError, match=r"no accepted object .* accept each"):
        comparison([empty], ["bright"], build)


def test_without_a_method_the_user_is_told_what_to_do():
    with pytest.raises(ValueError, match="tick those"):
        comparison([own_plane()], [], build)


def test_a_few_objects_are_never_certain():
    assert "too close to call" in verdict(
        standings([*steps("a", *[1] * 4), *steps("b", *[9] * 4)])
    )


def test_a_clear_lead_and_a_close_call_are_told_apart():
    clear = standings([*steps("a", *[1] * 9), *steps("b", *[3, 4, 5] * 3)])
    close = standings([*steps("a", 1, 4, 2), *steps("b", 4, 1, 3)])

    assert "fewest of all; the next best is 'b' with 4.0" in verdict(clear)
    assert "too close to call" in verdict(close)


def test_only_objects_that_every_method_has_count():
    ranked = standings([*steps("a", 1, 20), *steps("b", 2)])

    assert [one.method for one in ranked] == ["a", "b"]
    assert all(len(one.clicks) == 1 for one in ranked)


def test_one_method_alone_is_told_without_a_rival():
    (only,) = standings(steps("a", 2, 4))

    assert verdict([only]).endswith(
        "needs 3.0 clicks on average to an IoU of 90% with your masks."
    )


def test_nothing_measured_is_said():
    assert standings([]) == []
    assert verdict([]).startswith("There is nothing to compare")


def test_a_user_without_clicks_is_told_nothing():
    assert of_the_user([]) == []
