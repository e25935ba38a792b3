"""A worker that has answered a thousand requests takes no more memory than before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from napari_iseg.cvat.settings import Settings
from tests.cvat.asking import file_of, request_for
from tests.cvat.conftest import worker_of

REQUESTS, WARM_UP = 1000, 100
SIDE = 80
# Each request carries a new image; to keep 900 of them alone would take 5.8 MB.
MOST_GROWTH = 4_000_000
DRAWN = {"type": "rectangle", "points": [20.0, 20.0, 60.0, 60.0]}


def images(count: int) -> Iterator[str]:
    """Different images of one cell, each as CVAT sends it."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        pixels = rng.integers(0, 60, (SIDE, SIDE), np.uint8)
        pixels[20:60, 20:60] += 120
        yield request_for(file_of(pixels))["image"]


def clicked(image: str, last: Any) -> dict:
    return {"image": image, "pos_points": [[40.5, 40.5]], "neg_points": [[2.5, 2.5]]}


def looked_through(image: str, last: Any) -> dict:
    return {"image": image}


def tracked(image: str, last: Any) -> dict:
    if last is None:
        return {"image": image, "shapes": [DRAWN], "states": []}
    return {"image": image, "shapes": [None], "states": last["states"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "ask"),
    [
        ("geodesic-star", clicked),
        ("watershed", looked_through),
        ("cells-tracker", tracked),
    ],
)
def test_a_thousand_requests_leave_nothing_behind(
    function: str, ask: Callable[[str, Any], dict]
):
    # A fast method: what is kept of requests is the same for each of them.
    faster = {} if function == "watershed" else {"ISEG_METHOD": "graph-cut"}
    sizes, last, said = [], None, {}

    with worker_of(function, **faster) as worker:
        for image in images(REQUESTS):
            answer = worker.ask(ask(image, last))
            assert answer.status == 200
            last, said = answer.json, answer.logs[-1]["with"]
            sizes.append(worker.memory)

    assert max(sizes) - sizes[WARM_UP] < MOST_GROWTH
    if function == "geodesic-star":
        assert said["kept_images"] == Settings().cache_images
        assert said["kept_bytes"] <= Settings().cache_bytes


def test_a_limit_of_bytes_holds_in_a_worker():
    limits = {"ISEG_METHOD": "graph-cut", "ISEG_CACHE_BYTES": "60000000"}

    with worker_of("geodesic-star", **limits) as worker:
        said = [
            worker.ask(clicked(image, None)).logs[-1]["with"] for image in images(12)
        ]

    assert [one["kept_images"] for one in said[-3:]] == [3, 3, 3]  # 16 MB and more each
    assert all(one["kept_bytes"] <= 60_000_000 for one in said)
    assert said[-1]["remembered"] is False
