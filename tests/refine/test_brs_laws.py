"""The laws of BRS, for every kind of network it can be put around."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from napari_iseg import load_segmenter, make_interactive
from napari_iseg.arrays import Grid
from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.brs import BRS, energies
from napari_iseg.refine.conversion import AllAtOnce, InWindows, MultiLabel, Softmax
from napari_iseg.refine.descent import Bounds
from napari_iseg.refine.windowed import Windowed, WindowedPredictor, agrees
from tests.own_networks import Bright, Tones, discs, tiny_unet

GRID = (64, 90)
FEW = Bounds(iterations=3, seconds=1e3)  # no answer may depend on the machine


def of_cells(device: str) -> BRS:
    segmenter = load_segmenter(device=device)
    assert isinstance(segmenter, Windowed)
    return BRS(segmenter, bounds=FEW)


def converted(net: Callable[[], nn.Module], **how: object) -> Callable[[str], BRS]:
    def build(device: str) -> BRS:
        found = make_interactive(net(), device=device, **how)  # type: ignore[arg-type]
        return BRS(found.segmenter, bounds=FEW)

    return build


SUBJECTS: dict[str, Callable[[str], BRS]] = {
    "cells": of_cells,
    "converted, by windows": converted(Bright, view=InWindows(side=64)),
    "converted, all at once": converted(Bright, view=AllAtOnce(longest=64)),
    "converted, whole foreground": converted(
        Bright, whole=True, view=InWindows(side=64)
    ),
    "converted, one of three classes": converted(
        Tones, output=Softmax(foreground=(1, 2))
    ),
    "converted, labels that overlap": converted(Tones, output=MultiLabel(foreground=2)),
    "converted, hardly trained": converted(
        lambda: tiny_unet(3, 2), output=Softmax(), whole=True
    ),
}


@cache
def subject(name: str, device: str = "cpu") -> BRS:
    return SUBJECTS[name](device)


def prepared(name: str, device: str = "cpu") -> WindowedPredictor:
    image = discs((30, 30), (40, 70), grid=GRID)
    return subject(name, device).prepare(image)


def clicks_on(grid: Grid) -> st.SearchStrategy[Clicks]:
    """One to four; the first is positive, as a user begins."""
    places = st.tuples(st.integers(0, grid[0] - 1), st.integers(0, grid[1] - 1))
    some = st.lists(st.tuples(places, st.booleans()), min_size=1, max_size=4)

    def clicks(items: list[tuple[Grid, bool]]) -> Clicks:
        found = dict(items)
        return Clicks(
            tuple(
                Click(*place, is_positive=sign or not number)
                for number, (place, sign) in enumerate(found.items())
            )
        )

    return some.map(clicks)


few = settings(
    deadline=None,
    max_examples=3,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
everyone = pytest.mark.parametrize("name", SUBJECTS)


@everyone
@few
@given(clicks=clicks_on(GRID))
def test_the_energy_never_rises_from_step_to_step(name: str, clicks: Clicks):
    predictor = prepared(name)

    for length in range(1, len(clicks) + 1):
        found = energies(predictor, clicks.prefix(length))
        assert list(found) == sorted(found, reverse=True)


@everyone
@few
@given(clicks=clicks_on(GRID))
def test_every_click_is_on_its_side_or_the_remark_names_it(name: str, clicks: Clicks):
    predictor = prepared(name)
    patch = predictor.predict_patch(clicks)

    wrong = [n for n, click in enumerate(clicks, 1) if not agrees(patch, (click,))]

    assert bool(wrong) == (predictor.remark is not None)
    assert all(str(number) in str(predictor.remark) for number in wrong)


@everyone
@few
@given(clicks=clicks_on(GRID), detour=clicks_on(GRID))
def test_one_by_one_all_at_once_and_after_undo_the_answers_are_equal(
    name: str, clicks: Clicks, detour: Clicks
):
    used = prepared(name)
    for length in range(len(clicks)):
        used.predict_patch(clicks.prefix(length))
    used.predict_patch(detour)

    np.testing.assert_array_equal(used.predict(clicks), prepared(name).predict(clicks))


@everyone
@few
@given(clicks=clicks_on(GRID))
def test_weights_stay_as_they_are(name: str, clicks: Clicks):
    net: nn.Module = subject(name).segmenter.model.net  # type: ignore[attr-defined]
    before = deepcopy(net.state_dict())

    prepared(name).predict_patch(clicks)

    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())


@everyone
def test_clicks_that_agree_leave_the_network_s_own_answer(name: str):
    """BRS around a network is the network until a click contradicts it."""
    found = prepared(name)
    plain = subject(name).segmenter.prepare(found.image)

    for place in [(30, 30), (33, 38), (40, 70), (60, 85)]:
        clicks = Clicks.at(positive=[place])
        if not energies(found, clicks):
            np.testing.assert_array_equal(found.predict(clicks), plain.predict(clicks))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_gpu_gives_the_same_answer(name: str):
    """In single precision, to a thousandth."""
    clicks = Clicks.at(positive=[(30, 30)]).adding(Click(30, 38, is_positive=False))

    np.testing.assert_allclose(
        prepared(name, "cuda").predict(clicks),
        prepared(name).predict(clicks),
        atol=1e-3,
    )
