"""Whoever adds a method to the catalogue gives it to CVAT by one yaml file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nuclio_sdk import Event
from nuclio_sdk.test import Platform
from skimage import data

from cvat_functions.function_file import FunctionFile
from cvat_functions.lint import problems
from napari_iseg import Clicks, catalog
from napari_iseg.nets.papers import NETWORKS
from tests.cvat.asking import file_of, iou, masks_in, request_for
from tests.cvat.function_yamls import changed, written
from tests.fakes import BrightSegmenter
from training.nuclio import Worker, wrappers

CELL = (slice(20, 44), slice(30, 60))
GRID = (64, 96)
INSIDE = [(45.5, 32.5), (37.5, 26.5), (53.5, 38.5)]  # x, y
AROUND = [(10.5, 10.5), (85.5, 55.5), (45.5, 8.5), (45.5, 56.5)]


def function_of(place: Path, method: str) -> FunctionFile:
    """A folder with one yaml: the example, for another method."""
    changes = {
        "metadata/name": f"napari-iseg-{method}",
        "spec/env": [{"name": "ISEG_METHOD", "value": method}],
        "spec/build/image": f"cvat.napari-iseg.{method}",
    }
    path = written(place, changed(changes), folder=method)
    assert problems(path) == []
    assert [one.name for one in path.parent.iterdir()] == ["function.yaml"]
    return FunctionFile.read(path)


def answered(function: FunctionFile, request: Mapping[str, Any], monkeypatch) -> Any:
    """What nuclio's own test platform gets from the handler that the yaml names."""
    for name, value in function.environment.items():
        monkeypatch.setenv(name, value)
    module, _, name = function.at("spec", "handler").partition(":")
    event = Event(body=dict(request), content_type="application/json")
    response = Platform().call_handler(getattr(import_module(module), name), event)
    assert response.status_code == 200
    return json.loads(response.body)


def cell() -> np.ndarray:
    """One bright cell, with noise."""
    image = np.random.default_rng(0).normal(60, 4, GRID)
    image[CELL] += 120
    return image.clip(0, 255).astype(np.uint8)


# They promise no more than an answer.
LITTLE_TRAINED = (*NETWORKS, "fcn-brs", "dhsnet-brs")


@pytest.mark.parametrize("method", catalog.ENTRIES)
def test_every_method_of_the_catalogue_is_a_tool_by_a_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
):
    function = function_of(tmp_path, method)

    answer = answered(
        function, request_for(file_of(cell()), INSIDE, AROUND), monkeypatch
    )

    (mask,) = masks_in(answer, GRID)
    clicks = Clicks.at(
        *([(int(y), int(x)) for x, y in some] for some in (INSIDE, AROUND))
    )
    predictor = catalog.load_segmenter(method, device="cpu").prepare(cell())
    np.testing.assert_array_equal(mask, predictor.predict(clicks) > 0.5)
    if method not in LITTLE_TRAINED:
        truth = np.zeros(GRID, bool)
        truth[CELL] = True
        assert iou(mask, truth) > 0.7


def bright(device: str, weights: Path | None) -> BrightSegmenter:
    """How a method is built that was not there when the handler was written."""
    return BrightSegmenter()


def test_a_method_that_comes_later_needs_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its entry in the catalogue, and a yaml that names it."""
    entry = catalog.Entry(
        name="later", title="Later", paper="", build=f"{__name__}:bright"
    )
    monkeypatch.setattr(catalog, "ENTRIES", {**catalog.ENTRIES, "later": entry})
    function = function_of(tmp_path, "later")

    answer = answered(function, request_for(file_of(cell()), INSIDE[:1]), monkeypatch)

    (mask,) = masks_in(answer, GRID)
    assert mask[CELL].all()
    assert mask.sum() == mask[CELL].size


@pytest.mark.parametrize("wrapper", wrappers(), ids=lambda path: path.name)
def test_a_worker_process_finds_the_installed_handler(tmp_path: Path, wrapper: Path):
    """The folder is on its path, as nuclio has it, and holds nothing to import."""
    function = function_of(tmp_path, "random-walk")
    inside = [(347.5, 185.5), (335.5, 180.5), (360.5, 195.5)]
    around = [(322.0, 230.0), (380.0, 150.0), (310.0, 150.0), (385.0, 220.0)]
    request = request_for(file_of(data.coins()), inside, around)

    with Worker(
        handler=function.at("spec", "handler"),
        environment=function.environment,
        folder=function.path.parent,
        wrapper=wrapper,
    ) as worker:
        answer = worker.ask(request)

    (mask,) = masks_in(answer.json, data.coins().shape)
    rows, columns = np.indices(mask.shape)
    assert iou(mask, np.hypot(rows - 187, columns - 347) < 31) > 0.7
    assert answer.status == 200
