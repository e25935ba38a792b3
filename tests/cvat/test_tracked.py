"""Tracker states: small JSON that comes back as it went, or is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_iseg.cvat.problems import MalformedRequestError, RequestError
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.tracked import MASK, RECTANGLE, Tracked
from napari_iseg.cvat.tracker import Tracker
from tests.cvat.asking import file_of, request_for
from tests.fakes import BrightSegmenter

GRID = 40, 50
MOST_BYTES = 45_000  # of a state

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=60)).filter(np.any)
edges = st.floats(-1e300, 1e300)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=8,
)


def picture() -> np.ndarray:
    image = np.full(GRID, 10, np.uint8)
    image[10:25, 12:30] = 200
    return image


def seen(mask: np.ndarray, kind: str = MASK, **rest) -> Tracked:
    image = np.random.default_rng(0).integers(0, 255, mask.shape, np.uint8)
    return Tracked.seen(image, kind, mask, **rest)


def tracked() -> Tracked:
    return Tracked.seen(picture(), RECTANGLE, picture() > 100, (-1.0, 0.0, 2.0, 0.5))


IMAGE = request_for(file_of(picture()))["image"]
STATE = tracked().state


def returned(state: object) -> object:
    """From the server to the browser and back."""
    return json.loads(json.dumps(state, allow_nan=False))


@given(masks, st.sampled_from([MASK, RECTANGLE]), st.tuples(edges, edges, edges, edges))
def test_a_state_comes_back_as_it_went(mask, kind, margins):
    one = seen(mask, kind, margins=margins)

    back = Tracked.read(returned(one.state), mask.shape)

    assert np.array_equal(back.mask, mask)
    assert back.points == one.points
    assert back.state == one.state


@given(masks, st.tuples(edges, edges, edges, edges))
def test_a_rectangle_has_a_pixel_and_lies_in_the_image(mask, margins):
    left, top, right, bottom = seen(mask, RECTANGLE, margins=margins).points

    assert 0 <= left <= right - 1 <= mask.shape[1] - 1
    assert 0 <= top <= bottom - 1 <= mask.shape[0] - 1


@pytest.mark.parametrize("kind", ["a large cell", "specks", "a dotted line"])
def test_states_are_small_whatever_the_mask(kind: str):
    rows, columns = np.indices((1500, 1600))
    mask = {
        "a large cell": (rows - 750) ** 2 + (columns - 800) ** 2 < 700**2,
        "specks": np.random.default_rng(0).random((1500, 1600)) < 0.01,
        "a dotted line": (rows == 700) & (columns % 2 == 0),
    }[kind]

    state = seen(mask).state

    assert len(json.dumps(state)) < MOST_BYTES
    back = Tracked.read(returned(state), mask.shape).mask
    assert back.shape == mask.shape
    assert back.any()
    assert kind != "a large cell" or np.array_equal(back, mask)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 1}, "no state of this version of the tracker; begin the track"),
        ({"grid": [9, 9]}, r"is of an image of \[9, 9\], not \(40, 50\) pixels"),
        ({"kind": "polygon"}, "nothing of the kind 'polygon' is tracked"),
        ({"mask": [2000, 0, 0, 49, 39]}, "its mask is empty"),
        ({"mask": [0, 10, 0, 0, 1, 1]}, "are no mask of an image of 40 x 50"),
        ({"mask": [0.5, 1, 0, 0, 0, 0]}, "mask must hold whole numbers >= 0"),
        ({"coarseness": 0}, "coarseness must hold whole numbers >= 1"),
        ({"picture": "no base64!"}, "is no state of this tracker"),
        ({"picture": "AAAA"}, "is no state of this tracker"),
        ({"seen": [1, 1, 1, 500, 500]}, "is no state of this tracker"),
        ({"seen": [1, 2]}, "not enough values"),
        ({"margins": [1, 2, 3, float("nan")]}, "must be a finite number"),
        ({"missed": -1}, "missed must hold whole numbers"),
    ],
)
def test_a_state_that_was_tampered_with_is_refused_with_a_sentence(change, message):
    with pytest.raises(MalformedRequestError, match=message):
        Tracked.read({**STATE, **change}, GRID)


def test_a_state_without_one_of_its_parts_is_refused():
    for name in STATE:
        less = {key: value for key, value in STATE.items() if key != name}
        with pytest.raises(MalformedRequestError, match="is no state of this"):
            Tracked.read(less, GRID)


# ------------------------------------------------------------------------- requests

TRACKER = Tracker(BrightSegmenter(), Settings())
shapes = st.lists(
    st.none()
    | st.lists(st.floats(-10, 70) | st.integers(-10, 70), min_size=4, max_size=4)
    | st.fixed_dictionaries(
        {
            "type": st.sampled_from([MASK, RECTANGLE, "polygon"]),
            "points": st.lists(st.floats() | st.integers(-3, 70), max_size=8)
            | st.just([0, 6, 4, 5, 6, 6]),
        }
    )
    | anything,
    max_size=3,
)


@st.composite
def states(draw) -> object:
    """A state of ours with up to two parts changed."""
    state = deepcopy(STATE)
    for name in draw(st.lists(st.sampled_from(sorted(STATE)), max_size=2, unique=True)):
        part = state[name]
        inside = isinstance(part, list) and draw(st.booleans())
        if inside:
            part[draw(st.integers(0, len(part) - 1))] = draw(anything)
        else:
            state[name] = draw(anything)
    return state


def check_answer(answer: dict, count: int) -> None:
    """What CVAT asks of it: one shape and one state for each that was sent."""
    assert set(answer) == {"shapes", "states"}
    assert len(answer["shapes"]) == len(answer["states"]) == count
    for shape, state in zip(answer["shapes"], answer["states"], strict=True):
        points = shape["points"] if isinstance(shape, dict) else shape
        assert all(type(value) is float for value in points)
        assert len(points) >= 4
        assert len(json.dumps(state)) < MOST_BYTES
        Tracked.read(state, GRID)


@settings(deadline=None)
@given(st.lists(states() | anything, max_size=2) | anything, shapes | anything)
def test_every_tracking_request_is_answered_or_refused(sent, drawn):
    body = {"image": IMAGE, "states": sent, "shapes": drawn}

    with suppress(RequestError):  # becomes 400
        answer = returned(TRACKER.answer(body, {}))
        check_answer(answer, len(sent or drawn or []))


@settings(deadline=None)
@given(anything | st.fixed_dictionaries({"image": anything, "shapes": shapes}))
def test_every_body_is_answered_or_refused(body):
    with suppress(RequestError):
        check_answer(TRACKER.answer(body, {}), 0)


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([MASK, RECTANGLE]),
    arrays(np.uint8, GRID, elements=st.sampled_from([0, 20, 200, 255])),
)
def test_any_next_frame_gives_one_shape_and_one_state(kind: str, image: np.ndarray):
    state = Tracked.seen(picture(), kind, picture() > 100).state
    body = {**request_for(file_of(image)), "shapes": [None], "states": [state]}

    check_answer(returned(TRACKER.answer(body, {})), 1)
