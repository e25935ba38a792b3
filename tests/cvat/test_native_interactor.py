"""Clicks through an agent: ``cvat-cli``'s own code in front of our interactor."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from cvat_cli._internal.agent import _worker_init, get_function_driver_class
from cvat_cli._internal.common import FunctionLoader
from cvat_sdk.masks import decode_mask
from PIL import Image

GRID = 90, 100


def cell() -> np.ndarray:
    rows, columns = np.ogrid[: GRID[0], : GRID[1]]
    return (rows - 40) ** 2 + (columns - 60) ** 2 <= 144


class InThisProcess:
    def submit(self, job, *arguments):
        return job(*arguments)

    def result(self, value):
        return value


@pytest.fixture
def driver():
    parameters = {"method": "grow-cut", "device": "cpu"}
    loader = FunctionLoader("napari_iseg.cvat.native_interactor", None, parameters)
    _worker_init(loader, iter("abcdefgh").__next__)
    spec = loader.load().spec

    class Driver(get_function_driver_class(spec)):
        read = 0

        def _get_sample_from_ar_params(self, ar_params):
            self.read += 1
            image = Image.fromarray(cell() * np.uint8(200))
            return SimpleNamespace(media=SimpleNamespace(load_image=lambda: image)), []

    return Driver(None, InThisProcess(), spec)


def asked(driver, positive=(), negative=(), box=(), **rest) -> list[dict]:
    request = {"type": "interact", "task": 1, "frame": 0, **rest}
    prompts = {"pos_points": positive, "neg_points": negative, "obj_bbox": box}
    return driver.calculate_result_for_ar(request | prompts, None)["shapes"]


def iou(shape: dict, wanted: np.ndarray) -> float:
    height, width = wanted.shape
    points = [int(value) for value in shape["points"]]
    mask = decode_mask(points, image_width=width, image_height=height)
    return (mask & wanted).sum() / (mask | wanted).sum()


def test_a_click_gives_the_mask_of_its_cell_and_the_image_is_read_once(driver):
    (first,) = asked(driver, [(60.5, 40.5)], [(5, 5)])
    (second,) = asked(driver, [(60.5, 40.5), (55, 42)], [(5, 5)])

    assert first["type"] == "mask"
    assert iou(first, cell()) > 0.8
    assert iou(second, cell()) > 0.8
    assert driver.read == 1


def test_a_region_is_answered_in_its_own_pixels(driver):
    (shape,) = asked(driver, [(20.5, 20.5)], [(1, 1)], roi=[40, 20, 90, 80])

    assert iou(shape, cell()[20:80, 40:90]) > 0.8


def test_no_prompt_gives_no_shape_and_the_log_says_why(driver, caplog):
    assert asked(driver) == []
    assert "no shape: nothing was clicked positive inside the image" in caplog.text


def test_a_point_outside_is_left_out_and_the_log_says_so(driver, caplog):
    assert len(asked(driver, [(60.5, 40.5), (500, 2)], [(5, 5)])) == 1
    assert "1 points outside the image were left out" in caplog.text


def test_a_box_is_a_prompt_too(driver):
    (shape,) = asked(driver, box=[(46, 26), (75, 55)])

    assert iou(shape, cell()) > 0.8
