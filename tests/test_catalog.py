"""The catalogue: names lead to methods, and wrong names to the right ones."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import MappingProxyType, ModuleType

import numpy as np
import pytest
from safetensors.numpy import save_file

from napari_iseg import catalog
from napari_iseg.catalog import ENTRIES, Entry, load_segmenter
from napari_iseg.clicks import Clicks
from napari_iseg.doctor import drawn_cell


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What a method ``bright`` without weights, and ``net`` with, were built with."""
    calls: list[dict] = []
    module = ModuleType("a_method")
    module.build = lambda **settings: calls.append(settings) or "segmenter"
    monkeypatch.setitem(sys.modules, "a_method", module)
    entries = {
        "bright": Entry(
            name="bright", title="Bright", paper="", build="a_method:build"
        ),
        "net": Entry(
            name="net", title="Net", paper="", build="a_method:build", card="cells"
        ),
    }
    monkeypatch.setattr(catalog, "ENTRIES", MappingProxyType(entries))
    return calls


def test_the_default_method_is_cells():
    assert next(iter(ENTRIES)) == "cells"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_tells_what_it_is_and_can_be_imported(name: str):
    entry = ENTRIES[name]
    module, _, function = entry.build.partition(":")

    assert entry.name == name
    assert entry.title
    assert entry.summary.endswith(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_a_catalogue_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        ENTRIES["mine"] = ENTRIES["cells"]


def test_a_method_without_weights_is_built_without(built: list[dict]):
    segmenter = load_segmenter("bright", device="cpu")

    assert segmenter == "segmenter"
    assert built == [{"device": "cpu", "weights": None}]


def test_a_method_is_built_with_the_weights_of_its_card(built: list[dict]):
    load_segmenter("net")

    assert built[0]["device"] == "auto"
    assert built[0]["weights"].name == "cells.safetensors"


def test_a_method_is_built_with_the_weights_of_the_user(
    built: list[dict], tmp_path: Path
):
    path = tmp_path / "mine.safetensors"
    save_file({"a": np.zeros(1)}, path)

    load_segmenter("net", weights=str(path))

    assert built == [{"device": "auto", "weights": path}]


def test_weights_cannot_be_chosen_for_a_method_that_has_none(built: list[dict]):
    with pytest.raises(ValueError, match="'bright' has no weights, so none can be"):
        load_segmenter("bright", weights="some.safetensors")

    assert built == []


def test_a_name_that_is_almost_right_is_answered_with_the_right_one():
    with pytest.raises(
        ValueError, match=r"no method is called 'cels'; did you mean 'cells'?"
    ):
        load_segmenter("cels")


def test_a_name_that_is_like_no_other_is_answered_with_all_of_them():
    with pytest.raises(ValueError, match="called 'xyz'; there are: cells"):
        load_segmenter("xyz")


# ------------------------------------------------------------------ the default method


def test_cells_finds_a_drawn_cell_by_one_click():
    image, truth = drawn_cell()

    predictor = load_segmenter(device="cpu").prepare(image)
    found = predictor.predict(Clicks.at(positive=[(120, 110)])) > 0.5

    assert (found & truth).sum() / (found | truth).sum() > 0.7


def test_weights_of_something_else_are_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(1, np.float32)}, path)

    with pytest.raises(ValueError, match="weights are not of the cells network"):
        load_segmenter(weights=path, device="cpu")


def test_a_device_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(
        ValueError, match=r"no device 'tpu' here; choose 'auto' or .*cpu"
    ):
        load_segmenter(device="tpu")
