"""``cvat-cli`` itself registers, serves and runs our native functions over HTTP.

The server is a small one of ours: the real one was not to be had. What it answers is
checked by the models of CVAT's SDK, and what it is sent is what CVAT would get.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cvat_sdk.masks import decode_mask

from tests.cvat.asking import (
    CELL,
    CELL_ROI,
    file_of,
    iou,
    mask_of_real_cell,
    real_cell,
)
from tests.cvat.fake_cvat import FUNCTION, LABEL, TASK, FakeCvat, serving

GRID = real_cell().shape
SHIFT = 8  # columns that the cell moves from frame to frame
DRAWN = {"type": "rectangle", "points": [365.0, 312.0, 492.0, 438.0]}
# What the server keeps of each function; an agent refuses to serve any other.
CLICKS = {"min_pos_points": 0, "min_neg_points": 0, "startswith_box_optional": True}
LABELS = [{"name": "cell", "attributes": [], "type": "mask"}]
SHAPES = ["mask", "rectangle"]
REGISTERED = {
    "interactor": {"provider": "native", "kind": "interactor", **CLICKS},
    "tracker": {
        "provider": "native",
        "kind": "tracker",
        "supported_shape_types": SHAPES,
    },
    "detector": {"provider": "native", "kind": "detector", "labels_v2": LABELS},
}
pytestmark = pytest.mark.slow


def frame(number: int, dtype: type = np.uint8) -> bytes:
    return file_of(np.roll(real_cell(dtype), SHIFT * number, 1))


def truth(number: int = 0) -> np.ndarray:
    return np.roll(mask_of_real_cell(), SHIFT * number, 1)


def server_of(*frames: bytes) -> FakeCvat:
    return FakeCvat(frames, size=GRID[::-1])


def ran(server: FakeCvat, cache: Path, *arguments: str) -> tuple[str, str]:
    """What ``cvat-cli`` prints, and its log."""
    with serving(server):
        done = subprocess.run(
            [sys.executable, "-m", "cvat_cli", "--server-host", server.url, *arguments],
            env={
                **os.environ,
                "CVAT_ACCESS_TOKEN": "of nobody",
                "XDG_CACHE_HOME": str(cache),
                "XDG_CONFIG_HOME": str(cache),
                "OMP_NUM_THREADS": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def module(kind: str) -> tuple[str, ...]:
    """The options that name one of our functions."""
    name = f"napari_iseg.cvat.native_{kind}"
    device = () if kind == "detector" else ("-p", "device=str:cpu")
    return ("--function-module", name, *device)


def serve(server: FakeCvat, cache: Path, kind: str) -> str:
    """Let an agent of the registered function answer all that waits; its log."""
    server.function = REGISTERED[kind]
    agent = ("function", "run-agent", str(FUNCTION), "--burst")
    _, log = ran(server, cache, *agent, *module(kind))
    assert server.failed == []
    return log


def mask_in(shape: dict, grid: tuple[int, int] = GRID) -> np.ndarray:
    points = [int(value) for value in shape["points"]]
    return decode_mask(points, image_width=grid[1], image_height=grid[0])


@pytest.mark.parametrize("kind", REGISTERED)
def test_a_function_is_registered_by_its_module(tmp_path, kind: str):
    server = server_of(frame(0))

    printed, _ = ran(
        server, tmp_path, "function", "create-native", "ours", *module(kind)
    )

    assert printed.strip() == str(FUNCTION)
    assert server.function.items() >= REGISTERED[kind].items()


def click(**rest) -> dict:
    prompts = {"pos_points": [list(CELL)], "neg_points": [], "obj_bbox": []}
    return {"type": "interact", "task": TASK, "frame": 0, **prompts, **rest}


def test_an_agent_answers_clicks_with_the_mask_of_a_real_cell(tmp_path):
    server = server_of(frame(0), frame(0, np.uint16))
    left, top, right, bottom = CELL_ROI
    inside = [[CELL[0] - left, CELL[1] - top]]
    server.waiting = [
        click(),
        click(frame=1),
        click(roi=list(CELL_ROI), pos_points=inside),
        click(pos_points=[]),
    ]

    serve(server, tmp_path, "interactor")

    whole, deep, region, nothing = (one["shapes"] for one in server.completed)
    assert iou(mask_in(*whole), truth()) > 0.85
    assert iou(mask_in(*deep), truth()) > 0.85
    cut = truth()[top:bottom, left:right]
    assert iou(mask_in(*region, cut.shape), cut) > 0.85
    assert nothing == []


def test_an_agent_tracks_a_real_cell_and_says_when_it_is_gone(tmp_path):
    gone = file_of(np.roll(real_cell(), 330, 0))
    server = server_of(frame(0), frame(1), gone, frame(2))
    server.waiting = [
        {"type": "init_tracking", "task": TASK, "frame": 0, "shapes": [DRAWN]}
    ]
    # As CVAT's browser does: the states of an answer go with the next frame.
    server.after = lambda result: (
        [
            {
                "type": "track",
                "task": TASK,
                "frame": len(server.completed),
                "states": result["states"],
            }
        ]
        if len(server.completed) < 4
        else []
    )

    log = serve(server, tmp_path, "tracker")

    first, lost, again = (one["shapes"] for one in server.completed[1:])
    wanted = np.add(DRAWN["points"], [SHIFT, 0, SHIFT, 0])
    assert np.abs(first[0]["points"] - wanted).max() < 8
    assert lost == [None]
    assert log.count("not found in this frame") == 1
    assert np.abs(again[0]["points"] - wanted - [SHIFT, 0, SHIFT, 0]).max() < 8


def test_an_agent_detects_cells_of_a_frame(tmp_path):
    server = server_of(frame(0))
    server.waiting = [
        {
            "type": "annotate_frame",
            "task": TASK,
            "frame": 0,
            "mapping": {"cell": {"name": "cell", "attributes": {}}},
            "threshold": None,
            "conv_mask_to_poly": False,
        }
    ]

    serve(server, tmp_path, "detector")

    shapes = server.completed[0]["annotations"]["shapes"]
    assert max(iou(mask_in(one), truth()) for one in shapes) > 0.85


@pytest.mark.parametrize("polygons", [False, True], ids=["masks", "polygons"])
def test_a_whole_task_is_annotated_without_any_agent(tmp_path, polygons: bool):
    server = server_of(frame(0), frame(1), frame(2, np.uint16))
    option = ("--conv-mask-to-poly",) if polygons else ()

    command = ("task", "auto-annotate", str(TASK), *module("detector"), *option)
    ran(server, tmp_path, *command)

    kind = "polygon" if polygons else "mask"
    assert {one["type"] for one in server.annotations} == {kind}
    assert {one["label_id"] for one in server.annotations} == {LABEL["id"]}
    assert {one["frame"] for one in server.annotations} == {0, 1, 2}
    if not polygons:
        for number in range(3):
            found = [s for s in server.annotations if s["frame"] == number]
            assert max(iou(mask_in(s), truth(number)) for s in found) > 0.85
