"""The examples run as they are printed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_two_coins_without_a_window(capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(EXAMPLES / "segment_one_object.py"))

    printed = capsys.readouterr().out
    assert "after undo: 1 object, 2 clicks" in printed
    assert "labels: [0, 1, 2]" in printed


def test_a_robot_counts_its_clicks(capsys: pytest.CaptureFixture[str]):
    names = runpy.run_path(str(EXAMPLES / "count_clicks.py"))

    assert names["curve"].clicks_to(0.85) is not None
    assert "IoU after 1 clicks of the robot `ritm`" in capsys.readouterr().out


def test_a_network_of_one_s_own_is_corrected(capsys: pytest.CaptureFixture[str]):
    """It is trained here: features correct what it got wrong, maps do no harm."""
    names = runpy.run_path(str(EXAMPLES / "bring_your_own_model.py"))

    maps, features = names["curves"]["maps"], names["curves"]["b"]
    assert maps[0] == features[0] < 0.75
    assert maps[-1] > maps[0] - 0.02
    assert features[-1] > 0.85
    assert capsys.readouterr().out.count("every click is obeyed") == 2


@pytest.mark.gui
def test_a_window_with_the_dock_open(make_napari_viewer, monkeypatch):
    monkeypatch.setattr("napari.Viewer", make_napari_viewer)
    monkeypatch.setattr("napari.run", lambda: None)

    names = runpy.run_path(str(EXAMPLES / "open_in_napari.py"))

    viewer = names["viewer"]
    assert [*viewer.window.dock_widgets] == ["Interactive segmentation (napari-iseg)"]
    assert viewer.layers["cell"].data.shape == (660, 550)


def test_every_example_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")

    forgotten = [path.name for path in EXAMPLES.glob("*.py") if path.name not in here]

    assert forgotten == []
