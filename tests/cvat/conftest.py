"""Worker processes of the functions in ``cvat_functions``, started once a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from training.nuclio import OURS, Worker, wrappers

FUNCTIONS = Path(__file__).parents[2] / "cvat_functions"
WorkerOf = Callable[[str], Worker]


def environment_of(name: str) -> dict[str, str]:
    """What the function's yaml sets."""
    path = FUNCTIONS / name / "nuclio" / "function.yaml"
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text())["spec"]["env"]
    return {one["name"]: str(one["value"]) for one in listed}


def worker_of(name: str, wrapper: Path = OURS, **more: str) -> Worker:
    """A worker of the function ``name``, not started yet."""
    return Worker(
        environment=environment_of(name) | more,
        folder=FUNCTIONS / name / "nuclio",
        wrapper=wrapper,
    )


@pytest.fixture(
    scope="module", params=wrappers(), ids=["ours", "nuclio's"][: len(wrappers())]
)
def wrapper(request: pytest.FixtureRequest) -> Path:
    """What nuclio starts: our worker and, with NUCLIO_SRC, its own."""
    return request.param


@pytest.fixture(scope="module")
def running(wrapper: Path) -> Iterator[WorkerOf]:
    """The worker process of a function; the same one for a whole module."""
    started: dict[str, Worker] = {}
    with ExitStack() as stack:

        def find(name: str) -> Worker:
            if name not in started:
                started[name] = stack.enter_context(worker_of(name, wrapper))
            return started[name]

        yield find
