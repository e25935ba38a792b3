"""A cell tracked in CVAT: a rectangle or a mask goes along from frame to frame."""

from __future__ import annotations

import base64
import io
import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from nuclio_sdk import Event
from nuclio_sdk.test import Platform
from PIL import Image

from napari_iseg.cvat import rle
from napari_iseg.cvat.problems import MalformedRequestError
from napari_iseg.cvat.settings import Settings
from napari_iseg.cvat.tracker import Tracker
from tests.fakes import BrightSegmenter

GRID = 120, 140


def disk(row: int, column: int, radius: int = 12) -> np.ndarray:
    rows, columns = np.ogrid[: GRID[0], : GRID[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def frame(row: int, column: int) -> np.ndarray:
    """A cell that moves, and another one that stays."""
    noise = np.random.default_rng(row).integers(0, 20, GRID, np.uint8)
    return noise + (disk(row, column) | disk(100, 20)) * np.uint8(200)


def encoded(image: np.ndarray) -> str:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def asked(
    tracker: Tracker, image: np.ndarray, remarks: dict | None = None, **rest
) -> dict:
    """The answer, having been JSON on its way as in CVAT."""
    body = {"image": encoded(image), "shapes": [], "states": [], **rest}
    said = {} if remarks is None else remarks
    return json.loads(json.dumps(tracker.answer(body, said)))


def iou_of_boxes(one, other) -> float:
    left, top = np.maximum(one[:2], other[:2])
    right, bottom = np.minimum(one[2:], other[2:])
    common = max(right - left, 0) * max(bottom - top, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return common / (sum(areas) - common)


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(BrightSegmenter(), Settings())


def test_a_rectangle_follows_its_cell(tracker: Tracker):
    drawn = {"type": "rectangle", "points": [28, 37, 54, 63]}
    states = asked(tracker, frame(50, 40), shapes=[drawn])["states"]

    for step in range(1, 6):
        row, column = 50 - 2 * step, 40 + 9 * step
        answer = asked(tracker, frame(row, column), shapes=[None], states=states)
        states = answer["states"]
        wanted = [column - 12, row - 13, column + 14, row + 13]
        assert answer["shapes"][0]["type"] == "rectangle"
        assert iou_of_boxes(answer["shapes"][0]["points"], wanted) > 0.85


def test_a_mask_follows_its_cell(tracker: Tracker):
    points = rle.encoded(disk(50, 40))
    states = asked(tracker, frame(50, 40), shapes=[{"type": "mask", "points": points}])

    answer = asked(tracker, frame(55, 48), shapes=[None], states=states["states"])

    found = rle.decoded([int(v) for v in answer["shapes"][0]["points"]], GRID)
    assert np.array_equal(found, disk(55, 48))


def test_an_older_server_sends_and_gets_bare_points(tracker: Tracker):
    begun = asked(tracker, frame(50, 40), shapes=[[28, 38, 53, 63]])

    assert len(begun["shapes"][0]) == 4
    assert len(begun["states"]) == 1


def test_an_older_server_gets_bare_points_while_tracking_too(tracker: Tracker):
    begun = asked(tracker, frame(50, 40), shapes=[[28, 38, 53, 63]])

    answer = asked(tracker, frame(52, 43), **begun)

    assert iou_of_boxes(answer["shapes"][0], [31, 40, 56, 65]) > 0.85


# -------------------------------------------------------------------- losing a cell


DRAWN = {"type": "rectangle", "points": [28, 38, 53, 63]}
BLACK = np.zeros(GRID, np.uint8)
SNOW = np.random.default_rng(7).integers(0, 255, GRID, np.uint8)


@pytest.mark.parametrize("gone", [BLACK, SNOW], ids=["black", "noise"])
def test_a_cell_that_is_gone_keeps_its_shape_and_the_log_says_so(tracker, gone):
    states = asked(tracker, frame(50, 40), shapes=[DRAWN])["states"]
    remarks: list[dict] = [{}, {}]

    for said in remarks:
        answer = asked(tracker, gone, said, shapes=[None], states=states)
        states = answer["states"]

    assert answer["shapes"][0]["points"] == DRAWN["points"]
    assert remarks[0]["lost"] == [
        "object 1, rectangle at (28, 38, 53, 63): not found in this frame; its last "
        "shape is answered"
    ]
    assert remarks[1]["lost"][0].endswith("its last shape is answered (2 in a row)")


def test_a_cell_that_comes_back_is_found_again(tracker: Tracker):
    states = asked(tracker, frame(50, 40), shapes=[DRAWN])["states"]
    for _ in range(3):
        states = asked(tracker, BLACK, states=states)["states"]
    remarks: dict = {}

    answer = asked(tracker, frame(54, 46), remarks, states=states)

    assert "lost" not in remarks
    assert iou_of_boxes(answer["shapes"][0]["points"], [34, 42, 59, 67]) > 0.85
    assert answer["states"][0]["missed"] == 0


def test_only_the_cell_that_is_gone_is_reported(tracker: Tracker):
    other = {"type": "rectangle", "points": [8, 88, 33, 113]}
    states = asked(tracker, frame(50, 40), shapes=[other, DRAWN])["states"]
    remarks: dict = {}

    one_left = np.where(disk(50, 40, 16), 10, frame(50, 40)).astype(np.uint8)
    asked(tracker, one_left, remarks, states=states)

    (sentence,) = remarks["lost"]
    assert sentence.startswith("object 2, rectangle at (28, 38, 53, 63): not found")


def test_a_cell_without_its_outline_takes_the_last_one_along(tracker: Tracker):
    states = asked(tracker, frame(50, 40), shapes=[DRAWN])["states"]
    bridge = np.zeros(GRID, bool)
    bridge[50:56, :] = True  # it touches something large
    remarks: dict = {}

    touching = np.maximum(frame(52, 44), bridge * np.uint8(200))
    answer = asked(tracker, touching, remarks, states=states)

    assert remarks["unsure"][0].endswith("not its outline; the last one went along")
    assert iou_of_boxes(answer["shapes"][0]["points"], [32, 40, 57, 65]) > 0.85


def test_a_rectangle_without_a_cell_is_an_ellipse_and_the_log_says_so(tracker):
    drawn = {"type": "rectangle", "points": [80, 10, 120, 30]}
    remarks: dict = {}

    answer = asked(tracker, BLACK, remarks, shapes=[drawn])

    assert answer["shapes"][0]["points"] == drawn["points"]
    assert "nothing found fits the rectangle" in remarks["unsure"][0]


def test_the_default_network_knows_when_its_cell_is_gone():
    tracker = Tracker.from_environment({"ISEG_DEVICE": "cpu"})
    states = asked(tracker, frame(50, 40), shapes=[DRAWN])["states"]
    remarks: dict = {}

    empty = frame(500, 500)  # the other cell is still there
    asked(tracker, empty, remarks, states=states)

    assert len(remarks["lost"]) == 1


# --------------------------------------------------------------------------- states


def test_states_are_small_and_the_answer_is_theirs_alone(tracker: Tracker):
    drawn = {"type": "rectangle", "points": [28, 38, 53, 63]}
    states = asked(tracker, frame(50, 40), shapes=[drawn])["states"]
    another = Tracker(BrightSegmenter(), Settings())

    assert len(json.dumps(states)) < 4000
    assert asked(tracker, frame(52, 44), states=states) == asked(
        another, frame(52, 44), states=states
    )


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"shapes": [{"type": "polygon", "points": [1, 2]}]}, "rectangles and masks"),
        ({"shapes": [[1, 2, 3]]}, "a rectangle has 4 numbers"),
        ({"shapes": [[500, 500, 600, 600]]}, "is not in an image of 140 x 120"),
        ({"shapes": [[1, 2, float("nan"), 4]]}, "must be a finite number"),
        ({"shapes": [{"type": "mask", "points": [9, 0, 0, 1, 1]}]}, "no mask to track"),
        ({"shapes": [{"type": "mask", "points": [1, 0, 0, 0, 0]}]}, "is empty"),
        ({"shapes": "all"}, "must be a list of at most"),
        ({"states": [{}]}, "is no state of this version of the tracker; begin"),
        ({"states": [7]}, "7 is no state of this version of the tracker"),
    ],
)
def test_what_cannot_be_tracked_is_refused(tracker: Tracker, rest, message: str):
    with pytest.raises(MalformedRequestError, match=message):
        tracker.answer({"image": encoded(frame(50, 40)), **rest}, {})


def test_a_state_of_another_image_size_is_refused(tracker: Tracker):
    states = asked(tracker, frame(50, 40), shapes=[[28, 38, 53, 63]])["states"]

    with pytest.raises(MalformedRequestError, match="is of an image of"):
        asked(tracker, np.zeros((9, 9), np.uint8), states=states)


def test_the_default_network_follows_a_cell():
    tracker = Tracker.from_environment({"ISEG_DEVICE": "cpu"})
    states = asked(tracker, frame(50, 40), shapes=[[28, 38, 53, 63]])["states"]

    answer = asked(tracker, frame(53, 47), states=states)

    assert iou_of_boxes(answer["shapes"][0]["points"], [35, 41, 60, 66]) > 0.5


def test_the_folder_answers_json_through_nuclios_platform(monkeypatch):
    monkeypatch.setenv("ISEG_DEVICE", "cpu")
    path = Path(__file__).parents[2] / "cvat_functions/cells-tracker/nuclio/main.py"
    spec = spec_from_file_location("tracker_main", path)
    main = module_from_spec(spec)
    spec.loader.exec_module(main)
    drawn = {"type": "rectangle", "points": [28, 38, 53, 63]}
    body = {"image": encoded(frame(50, 40)), "shapes": [drawn], "states": []}

    response = Platform().call_handler(
        main.handler, Event(body=body, content_type="application/json")
    )

    assert response.status_code == 200
    assert json.loads(response.body)["states"][0]["kind"] == "rectangle"
