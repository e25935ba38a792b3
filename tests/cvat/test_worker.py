"""Real worker processes, spoken to as nuclio's processor does: a real cell comes back.

Every test runs against our worker and, where NUCLIO_SRC names a checkout of nuclio,
against nuclio's own wrapper.
"""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.cvat.asking import (
    CELL,
    CELL_ROI,
    file_of,
    iou,
    mask_of_real_cell,
    masks_in,
    real_cell,
    request_for,
)
from tests.cvat.conftest import WorkerOf, worker_of
from training.nuclio import Worker

INTERACTORS = ["cells", "geodesic-star"]
EDGE = [(404.5, 460.5), (510.5, 345.5)]  # x, y outside of the cell
GRID = real_cell().shape
DEPTHS = pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16], ids=["8 bit", "16 bit"]
)


def files(dtype: type, roi: tuple[int, int, int, int] | None = None) -> str:
    """The real cell as CVAT's server hands it to detectors and trackers."""
    return request_for(file_of(real_cell(dtype)), roi=roi)["image"]


# ------------------------------------------------------------------------ interactor


@pytest.mark.parametrize("name", INTERACTORS)
@pytest.mark.parametrize("roi", [None, CELL_ROI], ids=["whole", "roi"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@DEPTHS
def test_a_request_of_cvat_gives_the_mask_of_a_real_cell(
    running: WorkerOf, name: str, roi, kind: str, dtype: type
):
    content = file_of(real_cell(dtype), kind)

    answer = running(name).ask(request_for(content, [CELL], EDGE, roi=roi))

    assert answer.status == 200
    (mask,) = masks_in(answer.json, GRID, roi)
    assert iou(mask, mask_of_real_cell()) > 0.85
    assert len(answer.body) < 100_000


@pytest.mark.parametrize("name", INTERACTORS)
def test_a_photograph_of_it_will_do_too(running: WorkerOf, name: str):
    content = file_of(real_cell(), "JPEG", quality=75)

    answer = running(name).ask(request_for(content, [CELL], EDGE))

    (mask,) = masks_in(answer.json, GRID)
    assert iou(mask, mask_of_real_cell()) > 0.85


def test_one_click_is_enough_for_the_network(running: WorkerOf):
    answer = running("cells").ask(request_for(file_of(real_cell()), [CELL]))

    (mask,) = masks_in(answer.json, GRID)
    assert iou(mask, mask_of_real_cell()) > 0.85


def test_the_second_click_finds_the_image_looked_at(running: WorkerOf):
    content = file_of(np.roll(real_cell(), 7, 0))  # an image of this test alone

    answers = [
        running("cells").ask(request_for(content, [CELL], EDGE[:count]))
        for count in (0, 1)
    ]

    said = [answer.logs[-1]["with"] for answer in answers]
    assert [one["remembered"] for one in said] == [False, True]
    assert said[1]["negative"] == 1


def test_two_workers_answer_alike_at_the_same_time(wrapper: Path):
    question = request_for(file_of(real_cell()), [CELL], EDGE)

    with ExitStack() as stack, ThreadPoolExecutor(2) as threads:
        two = [
            stack.enter_context(worker_of("geodesic-star", wrapper)) for _ in range(2)
        ]
        jobs = [threads.submit(two[n % 2].ask, question) for n in (0, 1)]
        answers = {job.result().body for job in jobs}

    assert len(answers) == 1


# -------------------------------------------------------------------------- detector


@pytest.mark.parametrize("roi", [None, CELL_ROI], ids=["whole", "roi"])
@DEPTHS
def test_the_detector_finds_a_real_cell(running: WorkerOf, dtype: type, roi):
    answer = running("watershed").ask({"image": files(dtype, roi)})

    assert answer.status == 200
    truth = mask_of_real_cell()
    masks = [detected(one, GRID, roi) for one in answer.json]
    assert max(iou(mask, truth) for mask in masks) > 0.85
    assert {one["label"] for one in answer.json} == {"cell"}


def detected(annotation: dict, grid: tuple[int, int], roi) -> np.ndarray:
    """The mask that CVAT's server stores, moved out of the region by it."""
    *pixels, left, top, right, bottom = annotation["mask"]
    across, down = (0, 0) if roi is None else roi[:2]
    mask = np.zeros(grid, bool)
    part = np.reshape(pixels, (bottom - top + 1, right - left + 1)) > 0
    mask[top + down : bottom + down + 1, left + across : right + across + 1] = part
    return mask


# --------------------------------------------------------------------------- tracker


@DEPTHS
def test_the_tracker_follows_a_real_cell(running: WorkerOf, dtype: type):
    worker = running("cells-tracker")
    drawn = {"type": "rectangle", "points": [365.0, 312.0, 492.0, 438.0]}
    moved = file_of(np.roll(real_cell(dtype), (9, -14), (0, 1)))

    begun = worker.ask({"image": files(dtype), "shapes": [drawn], "states": []})
    signed = begun.json["states"]
    answer = worker.ask({**request_for(moved), "shapes": [None], "states": signed})

    assert (begun.status, answer.status) == (200, 200)
    wanted = np.add(drawn["points"], [-14, 9, -14, 9])
    assert np.abs(answer.json["shapes"][0]["points"] - wanted).max() < 8
    assert len(answer.json["states"]) == 1
    assert answer.logs[-1]["level"] == "info"


def test_a_cell_that_left_is_a_warning_that_names_the_request(running: WorkerOf):
    worker = running("cells-tracker")
    drawn = {"type": "rectangle", "points": [365.0, 312.0, 492.0, 438.0]}
    begun = worker.ask({"image": files(np.uint8), "shapes": [drawn], "states": []})
    gone = file_of(np.roll(real_cell(), 300, 0))

    answer = worker.ask(
        {**request_for(gone), "shapes": [None], "states": begun.json["states"]}
    )

    assert answer.json["shapes"][0]["points"] == pytest.approx(drawn["points"])
    line = answer.logs[-1]
    assert line["level"] == "warning"
    assert "object 1, rectangle at" in line["with"]["lost"][0]
    assert len(line["with"]["request"]) == 36


# ---------------------------------------------------------- a bad one, then a good one

GOOD = {
    "cells": lambda: request_for(file_of(real_cell()), [CELL]),
    "geodesic-star": lambda: request_for(file_of(real_cell()), [CELL], EDGE),
    "watershed": lambda: {"image": files(np.uint8)},
    "cells-tracker": lambda: {
        "image": files(np.uint8),
        "shapes": [[365.0, 312.0, 492.0, 438.0]],
        "states": [],
    },
}
BAD_IMAGES = {
    "no base64": "not base64!",
    "cut base64": files(np.uint8)[:-3],
    "cut file": files(np.uint8)[:4000],
    "no image": base64.b64encode(b"<svg/>").decode(),
    "null": None,
}
BAD_BODIES = {
    "nothing": b"",
    "no json": b"no json",
    "a list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "deep inside": b'{"image": ' + b"[" * 900 + b"]" * 900 + b"}",
    **{
        name: json.dumps({"image": image}).encode()
        for name, image in BAD_IMAGES.items()
    },
}
NAN, ENDLESS = float("nan"), [[1.0, 1.0]] * 100_000
BAD_FIELDS = {
    "cells": [{"pos_points": [[NAN, 1]]}, {"neg_points": ENDLESS}, {"obj_bbox": [[1]]}],
    "geodesic-star": [{"pos_points": "all"}, {"threshold": 7}],
    "watershed": [{"threshold": NAN}],
    "cells-tracker": [
        {"shapes": [[1, 2, NAN, 4]]},
        {"shapes": ENDLESS},
        {"states": [{"version": 2}]},
        {"shapes": [{"type": "mask", "points": [10**30, 0, 0, 1, 1]}]},
    ],
}


def check_next(worker: Worker, name: str) -> None:
    """After whatever came before, a good request is answered."""
    answer = worker.ask(GOOD[name]())
    found = answer.json if name == "watershed" else answer.json["shapes"]
    assert answer.status == 200
    assert len(found) >= 1


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_after_a_bad_body_the_next_one_is_served(
    running: WorkerOf, name: str, body: bytes
):
    refused = running(name).send(body)

    assert refused.status == 400
    assert 0 < len(refused.json["message"]) < 1000
    assert refused.logs[-1]["with"]["refused"] == refused.json["message"]
    check_next(running(name), name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, wrong) for name, all_ in BAD_FIELDS.items() for wrong in all_],
    ids=lambda value: str(value)[:40],
)
def test_after_a_bad_field_the_next_one_is_served(running: WorkerOf, name, wrong):
    refused = running(name).ask(GOOD[name]() | wrong)

    assert refused.status == 400
    assert 0 < len(refused.json["message"]) < 1000
    check_next(running(name), name)


@pytest.mark.parametrize("name", GOOD)
def test_a_decompression_bomb_is_too_large_and_does_no_harm(running: WorkerOf, name):
    worker = running(name)
    before = worker.memory

    refused = worker.ask(GOOD[name]() | {"image": bomb(60_000)})

    assert refused.status == 413
    assert "60000 x 60000 pixels has more than 100000000" in refused.json["message"]
    assert worker.memory - before < 50_000_000
    check_next(worker, name)


def bomb(side: int) -> str:
    """A PNG of a few hundred bytes that claims ``side`` x ``side`` pixels."""
    content = bytearray(file_of(np.zeros((8, 8), np.uint8)))
    content[16:24] = side.to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return base64.b64encode(bytes(content)).decode()


def test_a_body_of_forty_megabytes_arrives(running: WorkerOf):
    name = "geodesic-star"

    answer = running(name).ask(GOOD[name]() | {"more": "x" * 40_000_000})

    assert answer.status == 200
    assert len(answer.json["shapes"]) == 1


BUG = """
from napari_iseg.cvat import interaction
from napari_iseg.cvat.serving import served

init_context = interaction.init_context


def handler(context, event):
    def answer(body, remarks):
        if body["pos_points"] == [[7, 7]]:
            raise KeyError("ours")
        return context.user_data.interactor.answer(body, remarks)

    return served(context, event, answer)
"""


def test_a_bug_of_ours_is_500_and_the_log_names_the_request(
    tmp_path: Path, wrapper: Path
):
    (tmp_path / "main.py").write_text(BUG)
    environment = {"ISEG_METHOD": "geodesic-star", "ISEG_DEVICE": "cpu"}

    with Worker("main:handler", environment, tmp_path, wrapper) as worker:
        answer = worker.ask({"image": "AAAA", "pos_points": [[7, 7]]})
        check_next(worker, "geodesic-star")

    assert (answer.status, answer.json) == (500, {"message": "KeyError"})
    line = answer.logs[-1]
    assert line["level"] == "error"
    assert len(line["with"]["request"]) == 36
    assert "KeyError: 'ours'" in line["with"]["problem"]
