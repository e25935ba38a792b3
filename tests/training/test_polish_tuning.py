"""Constants of the graph cut are tried on data, by a robot, in one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_iseg.refine.polish import Polished
from tests.training.fake_methods import BRIGHT
from tests.training.tiny_data import write_images
from training.__main__ import main
from training.evaluation import Method, read_curves
from training.polish_tuning import Tuning


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "tiny", 1)
    return tmp_path / "tiny"


def polish(data: Path, *more: str) -> int:
    settings = ["--boundary", "0.5", "2", "--contrast", "1"]
    where = ["--data", str(data), "-o", str(data.parent / "polish.jsonl")]
    few = ["--limit", "2", "--clicks", "3", "--workers", "0"]
    return main(["polish", BRIGHT, *where, *settings, *few, *more])


def test_every_setting_is_measured_beside_the_method_itself(data, capsys) -> None:
    assert polish(data) == 0

    table = capsys.readouterr().out
    rows = [line.split("|")[1:3] for line in table.splitlines() if "|" in line][2:]
    cells = [tuple(cell.strip(" *") for cell in row) for row in rows]
    assert cells == [("without", ""), ("0.5", "1"), ("2", "1")]
    assert table.count("**") == 4  # both values of the best setting
    assert "robot ritm, on " in table


def test_the_same_command_measures_nothing_twice(data, capsys) -> None:
    polish(data)
    first = capsys.readouterr().out
    before = read_curves(data.parent / "polish.jsonl")

    polish(data)

    assert capsys.readouterr().out == first
    assert read_curves(data.parent / "polish.jsonl") == before


def test_the_table_goes_into_a_document(data, tmp_path, capsys) -> None:
    document = tmp_path / "page.md"
    document.write_text("above\n<!-- table:begin -->\n<!-- table:end -->\nbelow\n")

    polish(data, "--into", str(document))

    assert capsys.readouterr().out in document.read_text()


def test_settings_are_those_of_the_polish() -> None:
    tuning = Tuning(boundaries=(0.5, 2.0), contrasts=(1.0, 3.0))

    _, *methods = tuning.methods(Method(name="graph-cut", device="cpu"))

    built = [method.build() for method in methods]
    assert all(isinstance(one, Polished) for one in built)
    found = [(one.polish.boundary, one.polish.contrast) for one in built]
    assert found == tuning.settings() == [(0.5, 1), (0.5, 3), (2, 1), (2, 3)]


def test_windows_and_polish_have_settings_of_their_own() -> None:
    policy = ("zoom=1.7", "polish.boundary=2.0")

    segmenter = Method(name="cells~polished", device="cpu", policy=policy).build()

    assert segmenter.polish.boundary == 2
    assert segmenter.segmenter.policy.zoom == 1.7


def test_a_polished_method_is_measured_with_the_weights_of_its_own() -> None:
    plain, polished = (Method(name=name) for name in ("cells", "cells~polished"))

    assert polished.weights_mark == plain.weights_mark != ""


def test_a_method_without_polish_has_no_settings_of_it() -> None:
    method = Method(name="graph-cut", policy=("polish.boundary=2.0",))

    with pytest.raises(ValueError, match=r"'graph-cut' is not polished: .* for 'graph"):
        method.build()


def test_a_setting_that_is_none_is_answered_with_the_nearest() -> None:
    method = Method(name="graph-cut~polished", policy=("polish.boundar=2.0",))

    with pytest.raises(ValueError, match="did you mean 'boundary'"):
        method.build()
