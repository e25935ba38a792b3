"""A real worker process, spoken to as nuclio's processor does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from skimage import data

from tests.cvat.asking import file_of, iou, masks_in, request_for
from tests.cvat.processor import Worker, wrappers

FUNCTIONS = Path(__file__).parents[2] / "cvat_functions"
COIN = (347.5, 185.5)  # x, y of one in the middle row
ROI = (290, 130, 384, 240)


def environment_of(name: str) -> dict[str, str]:
    """What the function's yaml sets; on this machine's CPU."""
    path = FUNCTIONS / name / "nuclio" / "function.yaml"
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text())["spec"]["env"]
    return {one["name"]: str(one["value"]) for one in listed}


@pytest.fixture(scope="module", params=["cells", "geodesic-star"])
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    folder = FUNCTIONS / request.param / "nuclio"
    with Worker(folder, environment=environment_of(request.param)) as started:
        yield started


def coins(dtype: type) -> np.ndarray:
    image = data.coins()
    return image if dtype is np.uint8 else image.astype(np.uint16) * 200


def truth() -> np.ndarray:
    """The coin, as a circle drawn by hand."""
    rows, columns = np.indices(data.coins().shape)
    return np.hypot(rows - 187, columns - 347) < 31


@pytest.mark.parametrize("roi", [None, ROI], ids=["whole", "roi"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16], ids=["8 bit", "16 bit"])
def test_a_click_of_cvat_gives_the_mask_of_a_real_object(
    worker: Worker, dtype: type, roi: tuple[int, int, int, int] | None
):
    content = file_of(coins(dtype))
    corners = [(322.0, 230.0), (380.0, 150.0)]  # beside the coin

    answer = worker.ask(request_for(content, [COIN], corners, roi=roi))

    assert answer.status == 200
    (mask,) = masks_in(answer.json, data.coins().shape, roi)
    assert iou(mask, truth()) > 0.75
    assert len(answer.body) < 100_000


@pytest.mark.parametrize(
    "body", [b"", b"no json", b'{"image": "AAAA"}', b"[" * 100_000], ids=repr
)
def test_after_a_bad_request_the_next_one_is_served(worker: Worker, body: bytes):
    refused = worker.send(body[:200_000])
    served = worker.ask(request_for(file_of(coins(np.uint8)), [COIN]))

    assert refused.status in (400, 413)
    assert served.status == 200
    assert served.json["shapes"]


def test_two_workers_answer_alike_at_the_same_time():
    environment = environment_of("geodesic-star")
    folder = FUNCTIONS / "geodesic-star" / "nuclio"
    question = request_for(file_of(coins(np.uint8)), [COIN])

    with (
        Worker(folder, environment=environment) as one,
        Worker(folder, environment=environment) as other,
    ):
        answers = {worker.ask(question).body for worker in (one, other, one)}

    assert len(answers) == 1


@pytest.mark.parametrize("wrapper", wrappers(), ids=lambda path: path.name)
def test_the_memory_of_a_worker_is_bounded(wrapper: Path):
    folder = FUNCTIONS / "geodesic-star" / "nuclio"
    environment = {**environment_of("geodesic-star"), "ISEG_CACHE_MB": "16"}

    with Worker(folder, environment=environment, wrapper=wrapper) as worker:
        sizes = []
        for number in range(60):
            image = np.roll(coins(np.uint8), number, 0)
            worker.ask(request_for(file_of(image), [COIN]))
            sizes.append(worker.memory)

    assert sizes[-1] - sizes[20] < 60_000_000
