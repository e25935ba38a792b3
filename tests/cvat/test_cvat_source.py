"""CVAT's own code asks a real worker process: opt-in, with CVAT_SRC a checkout of it.

Needs Django beside (``pip install django``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from tests.cvat.asking import (
    CELL,
    CELL_ROI,
    file_of,
    iou,
    mask_of_real_cell,
    masks_in,
    real_cell,
)
from tests.cvat.conftest import FUNCTIONS, WorkerOf
from tests.cvat.cvat_source import function_of, views_of
from training.nuclio import Worker

SOURCE = os.environ.get("CVAT_SRC")
GRID = real_cell().shape
CLICK = {"frame": 0, "pos_points": [list(CELL)], "neg_points": [], "obj_bbox": []}
DRAWN = {"type": "rectangle", "points": [365.0, 312.0, 492.0, 438.0]}
pytestmark = pytest.mark.skipif(
    not SOURCE, reason="CVAT_SRC does not name a checkout of CVAT"
)


@pytest.fixture(scope="module")
def views() -> Iterator[ModuleType]:
    pytest.importorskip("django", reason="CVAT's code needs Django")
    with views_of(Path(SOURCE or "")) as loaded:
        yield loaded


@contextmanager
def listening(worker: Worker) -> Iterator[int]:
    """nuclio's HTTP trigger in front of a worker; its port."""

    class Trigger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = worker.send(body, self.headers["Content-Type"])
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Trigger)
    thread = Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield web.server_port
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def invoked(views: ModuleType, worker: Worker, name: str, data: dict, *frames) -> Any:
    """What CVAT's server gives its browser for ``data`` out of it."""
    config = yaml.safe_load((FUNCTIONS / name / "nuclio/function.yaml").read_text())
    files = [file_of(one) for one in frames]
    label = SimpleNamespace(name="cell", type="any", id=5, attributespec_set=Rows())
    labels = [label] if name == "watershed" else []
    height, width = GRID
    images = [SimpleNamespace(width=width, height=height, frame=n) for n in range(2)]
    task = SimpleNamespace(
        id=1,
        files=files,
        get_labels=lambda **_: labels,
        data=SimpleNamespace(images=Rows(images), video=None),
    )
    with listening(worker) as port:
        function = function_of(views, config, port)
        return function.invoke(task, data, converter=Kept())


class Rows(list):
    """A relation of Django's."""

    def values(self) -> Rows:
        return self

    all = values


class Kept:
    """Instead of CVAT's converter, which needs its database."""

    def convert(self, *, annotations: list, **_: object) -> list:
        return annotations


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("name", ["cells", "geodesic-star"])
def test_cvats_request_gives_the_mask_of_a_real_cell(
    views: ModuleType, running: WorkerOf, name: str, dtype: type
):
    request = {**CLICK, "neg_points": [[404.5, 460.5], [510.5, 345.5]]}

    answer = invoked(views, running(name), name, request, real_cell(dtype))

    (mask,) = masks_in(answer, GRID)
    assert iou(mask, mask_of_real_cell()) > 0.85


def test_cvats_region_of_interest_is_answered_in_the_whole_image(
    views: ModuleType, running: WorkerOf
):
    text = Path(SOURCE or "", "cvat/apps/lambda_manager/views.py").read_text()
    if "roi" not in text.lower().split("def invoke", 1)[-1]:
        pytest.skip("this CVAT knows no region of interest (2.70 and later do)")
    request = {**CLICK, "roi": list(CELL_ROI)}

    answer = invoked(views, running("cells"), "cells", request, real_cell())

    (mask,) = masks_in(answer, GRID)
    assert iou(mask, mask_of_real_cell()) > 0.85


def test_cvats_tracking_signs_our_states_and_brings_them_back(
    views: ModuleType, running: WorkerOf
):
    moved = np.roll(real_cell(), (9, -14), (0, 1))
    frames = (real_cell(), moved)
    name, worker = "cells-tracker", running("cells-tracker")

    begun = invoked(views, worker, name, {"frame": 0, "shapes": [DRAWN]}, *frames)
    states = begun["states"]
    answer = invoked(views, worker, name, {"frame": 1, "states": states}, *frames)

    assert all(isinstance(state, str) for state in states)
    (shape,) = answer["shapes"]
    assert shape["type"] == "rectangle"
    wanted = np.add(DRAWN["points"], [-14, 9, -14, 9])
    assert np.abs(shape["points"] - wanted).max() < 8


def test_cvats_automatic_annotation_takes_our_masks(
    views: ModuleType, running: WorkerOf
):
    worker = running("watershed")

    found = invoked(views, worker, "watershed", {"frame": 0}, real_cell())

    assert {one["label"] for one in found} == {"cell"}
    for one in found:
        left, top, right, bottom = one["mask"][-4:]
        assert len(one["mask"]) - 4 == (right - left + 1) * (bottom - top + 1)


def test_what_cvat_says_of_a_refused_request(views: ModuleType, running: WorkerOf):
    import requests

    request = {**CLICK, "pos_points": [["a", "b"]]}

    with pytest.raises(requests.HTTPError, match="400 Client Error: Bad Request"):
        invoked(views, running("cells"), "cells", request, real_cell())
