"""Native functions, loaded and driven by ``cvat-cli``'s own code without a server."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from cvat_cli._internal.agent import _worker_init, get_function_driver_class
from cvat_cli._internal.agent_driver_detection import AgentDetectionFunctionDriver
from cvat_cli._internal.common import FunctionLoader
from cvat_sdk.auto_annotation import TrackableShape
from cvat_sdk.masks import decode_mask, encode_mask
from PIL import Image

GRID = 90, 100
CENTRES = [(20, 20), (20, 60), (64, 30), (70, 74)]


def cells(shift: int = 0) -> np.ndarray:
    rows, columns = np.ogrid[: GRID[0], : GRID[1]]
    near = [(rows - r) ** 2 + (columns - c - shift) ** 2 <= 100 for r, c in CENTRES]
    return np.any(near, axis=0)


def picture(shift: int = 0) -> Image.Image:
    return Image.fromarray(cells(shift) * np.uint8(200))


def loader_of(kind: str, **parameters) -> FunctionLoader:
    return FunctionLoader(f"napari_iseg.cvat.native_{kind}", None, parameters)


def loaded(kind: str, **parameters):
    return loader_of(kind, **parameters).load()


class InThisProcess:
    """An agent's executor without its other process."""

    def submit(self, job, *arguments):
        return job(*arguments)

    def result(self, value):
        return value


def agent_driver(kind: str, frames: list[Image.Image], **parameters):
    """The agent's own code in front of a function, with the frames of a task."""
    loader = loader_of(kind, **parameters)
    _worker_init(loader, iter("abcdefgh").__next__)
    spec = loader.load().spec

    class Driver(get_function_driver_class(spec)):
        def _get_sample_from_ar_params(self, ar_params):
            media = SimpleNamespace(load_image=lambda: frames[ar_params["frame"]])
            return SimpleNamespace(media=media), []

    return Driver(None, InThisProcess(), spec)


def mask_in(shape) -> np.ndarray:
    points = [int(value) for value in shape.points]
    return decode_mask(points, image_width=GRID[1], image_height=GRID[0])


def test_the_detector_gives_a_mask_for_each_cell():
    function = loaded("detector")
    context = SimpleNamespace(conf_threshold=None, conv_mask_to_poly=False)

    shapes = function.detect(context, picture())

    assert [one.type.value for one in shapes] == ["mask"] * 4
    union = np.any([mask_in(one) for one in shapes], axis=0)
    assert np.mean(union == cells()) > 0.98


def test_the_detector_gives_polygons_where_they_are_asked_for():
    function = loaded("detector", smallest_area=100)
    context = SimpleNamespace(conf_threshold=None, conv_mask_to_poly=True)

    shapes = function.detect(context, picture())

    assert [one.type.value for one in shapes] == ["polygon"] * 4
    assert all(len(one.points) >= 6 for one in shapes)


def test_a_threshold_for_the_detector_is_left_out_and_the_log_says_so(caplog):
    context = SimpleNamespace(conf_threshold=0.5, conv_mask_to_poly=False)

    assert len(loaded("detector").detect(context, picture())) == 4
    assert "--conf-threshold 0.5 is left out: the method gives no" in caplog.text


def test_the_agent_registers_the_detectors_labels():
    spec = loaded("detector").spec

    fields = AgentDetectionFunctionDriver.get_remote_function_fields(spec)

    assert fields == {"labels_v2": [{"name": "cell", "attributes": [], "type": "mask"}]}


@pytest.mark.parametrize("method", ["cells", "watershd"])
def test_the_detector_refuses_what_is_not_automatic(method: str):
    with pytest.raises(ValueError, match="no method is called"):
        loaded("detector", method=method)


def test_the_tracker_moves_a_mask_along():
    function = loaded("tracker", method="grow-cut", device="cpu")
    first = function.preprocess_image(None, picture())
    rows, columns = np.ogrid[: GRID[0], : GRID[1]]
    one = cells() & (rows < 45) & (columns < 40)
    drawn = TrackableShape(type="mask", points=encode_mask(one))
    assert function.spec.supported_shape_types == {"mask", "rectangle"}

    state = function.init_tracking_state(None, first, drawn)
    second = function.preprocess_image(None, picture(6))
    found = function.track(None, second, state)

    wanted = np.roll(one, 6, axis=1)
    mask = mask_in(found)
    assert found.type == "mask"
    assert (mask & wanted).sum() / (mask | wanted).sum() > 0.7
    assert state["mask"] == [int(value) for value in found.points]


def test_an_agent_tracks_a_rectangle_through_the_frames():
    frames = [picture(shift) for shift in (0, 5, 10)]
    driver = agent_driver("tracker", frames, method="grow-cut", device="cpu")
    drawn = {"type": "rectangle", "points": [10, 10, 31, 31]}
    begin = {"type": "init_tracking", "task": 1, "frame": 0, "shapes": [drawn]}

    states = driver.calculate_result_for_ar(begin, None)["states"]

    for frame, shift in ((1, 5), (2, 10)):
        track = {"type": "track", "task": 1, "frame": frame, "states": states}
        (shape,) = driver.calculate_result_for_ar(track, None)["shapes"]
        assert shape["type"] == "rectangle"
        wanted = [10 + shift, 10, 31 + shift, 31]
        assert np.abs(np.subtract(shape["points"], wanted)).max() <= 4


def test_an_agent_says_that_a_cell_is_gone_and_finds_it_again(caplog):
    black = Image.fromarray(np.zeros(GRID, np.uint8))
    frames = [picture(), black, picture(4)]
    driver = agent_driver("tracker", frames, method="grow-cut", device="cpu")
    drawn = {"type": "rectangle", "points": [10, 10, 31, 31]}
    begin = {"type": "init_tracking", "task": 1, "frame": 0, "shapes": [drawn]}
    states = driver.calculate_result_for_ar(begin, None)["states"]

    answers = [
        driver.calculate_result_for_ar(
            {"type": "track", "task": 1, "frame": frame, "states": states}, None
        )
        for frame in (1, 2)
    ]

    assert answers[0]["shapes"] == [None]
    assert "not found in this frame" in caplog.text
    (shape,) = answers[1]["shapes"]
    assert np.abs(np.subtract(shape["points"], [14, 10, 35, 31])).max() <= 4
