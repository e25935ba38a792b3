"""The exported graph answers like the network, and says what 8 bits cost."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_iseg import Clicks
from napari_iseg.refine.windowed import Policy, Windowed
from tests.training.tiny_data import write_images
from training import onnx_export
from training.__main__ import main
from training.engine import Trainer, save
from training.onnx_export import OnnxModel, cost_table, export_onnx
from training.recipes.cells import CellsRecipe
from training.sources import TrainingSet, training_set

pytest.importorskip("onnxruntime")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    save(Trainer(CellsRecipe(width=8), torch.device("cpu")), tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


@pytest.fixture
def held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path / "set", 1)
    sets: dict[str, TrainingSet] = {"drawn": training_set(tmp_path / "set", 1.0)}
    monkeypatch.setattr(onnx_export, "validation_sets", lambda *_: sets)
    monkeypatch.setattr(onnx_export, "CLICKED", 2)
    monkeypatch.setattr(onnx_export, "CALIBRATION", 2)


@pytest.mark.slow
def test_weights_become_a_graph_in_two_precisions(
    checkpoint: Path, held_out: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given a checkpoint,
    when it is exported with --int8,
    then the graph's answers are torch's, whatever the number and side of windows,
    the one of 8 bits is smaller, a robot has clicked with both, and inference runs.
    """
    output = tmp_path / "cells.safetensors"

    code = main(["export", str(checkpoint), "-o", str(output), "--int8"])

    told = capsys.readouterr().out
    graph, small = output.with_suffix(".onnx"), output.with_suffix(".int8.onnx")
    assert code == 0
    assert "| int8 | " in told
    assert "| int8 less float32 |" in told
    assert small.stat().st_size < graph.stat().st_size
    assert "external" not in [path.suffix for path in tmp_path.iterdir()]
    image = np.random.default_rng(0).random((90, 90), np.float32)
    predictor = Windowed(OnnxModel(graph), Policy()).prepare(image)
    found = predictor.predict(Clicks.at(positive=[(40, 40)]))
    assert found.shape == (90, 90)
    assert found[40, 40] > 0.5


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_module_is_named_with_what_installs_it(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ValueError, match=rf"needs {missing}, .*napari-iseg\[export\]"):
        export_onnx(tmp_path / "cells.safetensors", is_int8=False)


def test_a_graph_that_answers_otherwise_is_not_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "cells.safetensors"
    monkeypatch.setattr(
        onnx_export, "write_graph", lambda net, path: path.write_bytes(b"")
    )
    monkeypatch.setattr(onnx_export, "OnnxModel", lambda path: None)
    monkeypatch.setattr(onnx_export, "deviation", lambda net, model: 0.5)
    main(["export", str(checkpoint), "-o", str(output)])

    with pytest.raises(ValueError, match=r"differ by 5\.0e-01 .* not kept"):
        export_onnx(output, is_int8=False)

    assert not output.with_suffix(".onnx").exists()


def test_the_cost_is_a_difference_of_means(tmp_path: Path) -> None:
    from training.metrics import ClickCurve

    def curve(*ious: float) -> ClickCurve:
        many = len(ious)
        return ClickCurve(
            "cells", "d", "ritm", "a", ious, (True,) * many, (0.01,) * many
        )

    file = tmp_path / "graph"
    file.write_bytes(bytes(2_000_000))
    curves = {"float32": [curve(0.7, 0.95)], "int8": [curve(0.6, 0.86, 0.95)]}

    table = cost_table(curves, {"float32": file, "int8": file})

    assert "| float32 | 2.00 | ritm | 1 | 0.700 | 2.00 | 2.00 | 10 |" in table
    assert "| int8 less float32 | | | | -0.100 | +0.00 | +1.00 | |" in table
