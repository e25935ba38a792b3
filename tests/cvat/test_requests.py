"""Whatever is sent: an answer that CVAT can read, never an exception."""

from __future__ import annotations

import json
import math

import nuclio_sdk
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nuclio_sdk.event import EventDeserializerKinds
from nuclio_sdk.json_encoder import Encoder

from napari_iseg.cvat.interactor import Interactor
from napari_iseg.cvat.problems import MalformedRequestError
from napari_iseg.cvat.requests import InteractorRequest, Point
from napari_iseg.cvat.serving import served
from napari_iseg.cvat.settings import Settings
from tests.cvat.asking import file_of, masks_in, request_for
from tests.fakes import BrightSegmenter
from training.nuclio import event_of

IMAGE = np.zeros((24, 32), np.uint8)
IMAGE[4:20, 6:26] = 200
REQUEST = request_for(file_of(IMAGE), [(12.5, 8.5)])

numbers = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3)
)
values = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=12,
)
near = st.lists(st.tuples(st.floats(-3, 35), st.floats(-3, 27)).map(list), max_size=5)
fields = st.fixed_dictionaries(
    {"image": st.one_of(st.just(REQUEST["image"]), values)},
    optional={
        "pos_points": st.one_of(near, values),
        "neg_points": st.one_of(near, values),
        "obj_bbox": st.one_of(near, values),
        "threshold": st.one_of(st.floats(0, 1), values),
        "text_prompts": values,
        "more": values,
    },
)


class Log:
    """nuclio's logger, kept."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict]] = []

    def __getattr__(self, name: str):
        return lambda message, **with_: self.lines.append((name, message, with_))


class FakeContext:
    def __init__(self) -> None:
        self.logger = Log()
        self.Response = nuclio_sdk.Response


TOOL = Interactor.of(BrightSegmenter(), Settings())


def sent(body: bytes, content_type: str = "application/json", answer=TOOL.answer):
    """Through the SDK's own reading of events and writing of responses."""
    packed = event_of(body, content_type)
    event = nuclio_sdk.Event.deserialize(packed, EventDeserializerKinds.msgpack)
    context = FakeContext()
    output = served(context, event, answer)
    encode = Encoder().encode
    response = json.loads(
        encode(nuclio_sdk.Response.from_entrypoint_output(encode, output))
    )
    assert response["content_type"] == "application/json"
    return response["status_code"], json.loads(response["body"]), context.logger.lines


@given(fields)
def test_every_request_is_answered_or_refused(request_):
    status, answer, logged = sent(json.dumps(request_).encode())

    assert status in (200, 400)
    assert len(logged) == 1
    if status == 200:
        masks_in(answer, IMAGE.shape)
    else:
        assert 0 < len(answer["message"]) < 1000


@given(st.one_of(st.binary(max_size=50), values.map(lambda v: json.dumps(v).encode())))
def test_every_body_is_answered_or_refused(body: bytes):
    status, _, _ = sent(body)

    assert status in (200, 400)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "text/plain"],
)
def test_the_content_type_may_be_another(content_type: str):
    status, answer, _ = sent(json.dumps(REQUEST).encode(), content_type)

    assert status == 200
    assert len(answer["shapes"]) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image": None}, "image must be an image file in base64, got None"),
        ({"image": ""}, "image must be an image file in base64, got ''"),
        ({"image": "AAAA"}, "are no image that can be read"),
        ({"image": REQUEST["image"][:-3]}, "is no base64"),
        ({"image": REQUEST["image"][:60]}, "are no image that can be read"),
        ({"pos_points": {}}, "pos_points must be a list, got {}"),
        ({"pos_points": [[1]]}, r"each point of pos_points is \[x, y\], got \[1\]"),
        ({"neg_points": [["1", 2]]}, "neg_points must be a finite number, got '1'"),
        ({"neg_points": [[True, 2]]}, "must be a finite number, got True"),
        ({"pos_points": [[math.nan, 1]]}, "must be a finite number, got nan"),
        ({"pos_points": [[math.inf, 1]]}, "must be a finite number, got inf"),
        ({"pos_points": [[10**400, 1]]}, "must be a finite number"),
        ({"pos_points": [[1, 1]] * 100_000}, "has 100000 points; at most 256"),
        ({"obj_bbox": [[1, 1]] * 3}, "obj_bbox holds 3 corners; each box has two"),
        ({"threshold": 2}, "threshold must lie in 0..1, got 2"),
    ],
)
def test_a_malformed_request_is_refused_with_a_sentence(wrong, message: str):
    with pytest.raises(MalformedRequestError, match=message):
        TOOL.answer({**REQUEST, **wrong}, {})

    assert len(TOOL.answer(REQUEST, {})["shapes"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"image": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"image": "x", "pos_points": ' + b"[" * 800 + b"]" * 800 + b"}",
    ],
)
def test_no_json_and_deep_json_are_refused_and_the_next_request_is_served(body):
    status, answer, logged = sent(body)

    assert status == 400
    assert len(answer["message"]) < 500
    assert logged[0][0] == "warn_with"
    assert sent(json.dumps(REQUEST).encode())[0] == 200


def test_points_come_as_they_were_sent():
    parsed = InteractorRequest.parsed(
        {"image": "AAAA", "pos_points": [[1, 2.5]], "obj_bbox": [[5, 6], [3, 9]]}
    )

    assert parsed.prompts.positive == (Point(1.0, 2.5),)
    assert parsed.prompts.negative == ()
    (box,) = parsed.prompts.boxes
    assert (box.left, box.top, box.right, box.bottom) == (3, 6, 5, 9)


def test_too_large_an_image_is_refused_as_such():
    small = Interactor.of(BrightSegmenter(), Settings(most_pixels=100))

    status, answer, _ = sent(json.dumps(REQUEST).encode(), answer=small.answer)

    assert status == 413
    assert "32 x 24 pixels has more than 100" in answer["message"]


def test_a_mistake_of_ours_is_500_and_the_log_names_the_request():
    def broken(body, remarks):
        raise KeyError("ours")

    status, answer, logged = sent(json.dumps(REQUEST).encode(), answer=broken)

    assert (status, answer) == (500, {"message": "KeyError"})
    ((level, _, said),) = logged
    assert level == "error_with"
    assert len(said["request"]) == 36
    assert "KeyError: 'ours'" in said["problem"]


@pytest.mark.parametrize("number", [np.int64(3), math.nan])
def test_a_number_that_nuclio_would_write_as_text_is_never_sent(number):
    status, _, _ = sent(b"{}", answer=lambda body, remarks: {"shapes": [number]})

    assert status == 500
