"""Load my model: a network of the user's becomes a method of the list."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QInputDialog
from torch import Tensor, nn

from napari_iseg.gui.controls.load_button import LoadButton
from napari_iseg.gui.controls.method_chooser import MethodChooser
from napari_iseg.gui.model_shelf import ModelShelf
from napari_iseg.gui.own_models import ANSWERS, OwnModel
from napari_iseg.gui.preferences import Preferences, read_preferences
from napari_iseg.taught import taught_folder
from tests.gui.conftest import Bench, squares
from tests.gui.test_finding import QUIET
from tests.gui.test_window import Window, open_window, window  # noqa: F401 - fixtures

BINARY, PROBABILITIES, SOFTMAX, *_ = ANSWERS


class Bright(nn.Module):
    """What is bright is the object; ``classes`` maps, or one."""

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        self.see = nn.Conv2d(1, classes, 3, padding=1)
        nn.init.constant_(self.see.weight, 12 / 9)
        nn.init.constant_(self.see.bias, -6)

    def forward(self, image: Tensor) -> Tensor:
        return self.see(image)


def saved(path: Path, net: nn.Module | None = None) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather see torch.export
        torch.jit.script((net or Bright()).eval()).save(str(path))
    return path


def titles(bench: Bench) -> list[str]:
    return list(bench.desk.own_methods)


def test_a_loaded_model_is_chosen_and_answers_clicks(bench, tmp_path):
    """Given a network in a file, which finds what is bright,
    when it is loaded and the user clicks,
    then it answers, under the name of its file."""
    bench.desk.load_own(OwnModel(saved(tmp_path / "bright.pt"), BINARY))
    bench.settle()

    bench.click(15, 15)
    bench.accept()

    assert bench.desk.controller.method.name == "bright.pt"
    assert bench.heard.warnings == []
    assert bench.session.objects[1].method == "bright.pt"
    assert 60 < (bench.objects.data == 1).sum() < 160


def test_a_click_that_its_network_contradicts_is_obeyed(bench, tmp_path):
    bench.desk.load_own(OwnModel(saved(tmp_path / "bright.pt"), BINARY))
    bench.settle()
    bench.click(40, 40)

    bench.layer("iseg negative").add((45, 45))
    bench.settle()

    assert bench.session.unsatisfied == ()
    assert bench.session.answer.at(45, 45) < 0.5 < bench.session.answer.at(40, 40)


def test_a_model_is_no_method_before_it_is_loaded_and_stays_one(bench, tmp_path):
    own = OwnModel(saved(tmp_path / "bright.pt"), BINARY)
    assert titles(bench) == []
    bench.desk.load_own(own)
    bench.settle()

    bench.desk.choose_method("cells")
    bench.settle()

    assert titles(bench) == ["bright.pt"]


def test_what_the_network_answers_must_be_what_was_said(bench, tmp_path):
    """The library's sentence is what the user reads, and nothing has changed."""
    path = saved(tmp_path / "two.pt", Bright(classes=2))

    bench.desk.load_own(OwnModel(path, BINARY))
    bench.settle()

    (said,) = bench.heard.warnings
    assert said.startswith("The network gives 2 channels, not one; say output=Softmax")
    assert titles(bench) == []
    assert bench.desk.controller.method.name == "cells"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no model", "is neither a TorchScript nor a torch.export file; save the net"),
        (None, "There is no file"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(bench, tmp_path, content, said):
    path = tmp_path / "some.pt"
    if content is not None:
        path.write_bytes(content)

    bench.desk.load_own(OwnModel(path, BINARY))
    bench.settle()

    (warning,) = bench.heard.warnings
    assert said in warning
    assert bench.heard.errors == []


def test_a_model_of_the_same_name_takes_the_place_of_the_old_one(bench, tmp_path):
    """Given a loaded model, when the user has trained on and loads the file again,
    then clicks are answered by the new network."""
    path = tmp_path / "net.pt"
    bench.desk.load_own(OwnModel(saved(path), BINARY))
    bench.settle()
    net = Bright()
    nn.init.constant_(net.see.bias, -10.5)  # brighter still: the large square only
    bench.desk.load_own(OwnModel(saved(path, net), BINARY))
    bench.settle()

    engine_ = bench.desk._engine
    (one,) = [
        kept for method, kept in engine_._segmenters.items() if method.name == "net.pt"
    ]
    loaded = one.segmenter.model.net.net.state_dict()
    assert float(next(v for k, v in loaded.items() if k.endswith("bias"))) == -10.5


def test_signs_that_mean_more_in_a_name_are_left_out():
    assert OwnModel(Path("my+net~polished.pt"), BINARY).name == "my-net-.pt"


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_that_is_offered_is_one_of_the_library(answer):
    from napari_iseg.nets.own import outputs

    kind, how = ANSWERS[answer]

    assert getattr(outputs, kind)(**how) is not None
    assert answer.startswith(kind)


# From one session to the next


def opened(shelf: ModelShelf) -> Bench:
    """Napari, opened by a user whose model files are remembered."""
    return Bench(squares(60, 70), Preferences(models=shelf))


def loaded(shelf: ModelShelf, path: Path) -> Bench:
    bench = opened(shelf)
    bench.desk.load_own(OwnModel(path, BINARY))
    bench.settle()
    return bench


def test_a_loaded_model_is_a_method_in_the_next_session(tmp_path):
    """Given a model that was loaded, when napari is opened again,
    then it is in the list, is not loaded before it is chosen, and answers."""
    shelf = ModelShelf(tmp_path / "of me" / "models.json")
    loaded(shelf, saved(tmp_path / "bright.pt"))

    later = opened(shelf)
    names = titles(later)
    later.desk.choose_method("bright.pt")
    later.click(15, 15)

    assert names == ["bright.pt"]
    assert later.session.mask is not None
    assert later.heard.warnings == []


def test_a_file_that_is_gone_is_told_once_and_is_a_method_when_it_is_back(tmp_path):
    """Given two remembered models, when the file of one is gone,
    then one sentence says so, once, the other is a method as before, and so is the
    missing one when its file is back."""
    shelf = ModelShelf(tmp_path / "models.json")
    path, other = saved(tmp_path / "net.pt"), saved(tmp_path / "other.pt")
    loaded(shelf, path)
    loaded(shelf, other)
    path.rename(tmp_path / "elsewhere")

    without, again = opened(shelf), opened(shelf)
    (tmp_path / "elsewhere").rename(path)
    back = opened(shelf)
    path.unlink()
    gone = opened(shelf)

    (sentence,) = without.heard.warnings
    assert sentence.startswith(f"{path} is not there any more: net.pt is no method")
    assert titles(without) == titles(again) == ["other.pt"]
    assert again.heard.warnings == back.heard.warnings == []
    assert titles(back) == ["net.pt", "other.pt"]
    assert gone.heard.warnings == [sentence]


def test_a_file_of_the_same_name_elsewhere_takes_its_place(tmp_path):
    shelf = ModelShelf(tmp_path / "models.json")
    (tmp_path / "new").mkdir()
    loaded(shelf, saved(tmp_path / "net.pt"))

    loaded(shelf, saved(tmp_path / "new" / "net.pt"))

    assert [one.path for one in shelf.models()] == [tmp_path / "new" / "net.pt"]


def test_what_cannot_be_loaded_is_not_remembered(tmp_path):
    shelf = ModelShelf(tmp_path / "models.json")
    (tmp_path / "text.pt").write_text("no model")

    loaded(shelf, tmp_path / "text.pt")

    assert shelf.models() == []


@pytest.mark.parametrize(
    "content",
    ["{", '[{"path": "/net.pt"}]', '[{"path": "/net.pt", "answer": "Maybe"}]', "[7]"],
)
def test_a_list_that_cannot_be_read_is_told_and_left_alone(tmp_path, content):
    """Given a broken list, when napari is opened and a model is loaded,
    then a sentence names the file each time, the model works, and the list is as
    it was."""
    path = tmp_path / "models.json"
    path.write_text(content)

    bench = loaded(ModelShelf(path), saved(tmp_path / "bright.pt"))

    assert len(bench.heard.warnings) == 2
    assert all(f"{path}, cannot be read" in one for one in bench.heard.warnings)
    assert bench.desk.controller.method.name == "bright.pt"
    assert path.read_text() == content


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_models_of_the_user_are_among_the_preferences(plugin_settings):
    assert read_preferences().models == ModelShelf(taught_folder() / "own_models.json")


class TestInTheWindow:
    pytestmark = QUIET

    def test_from_the_button_to_the_answer(self, window, tmp_path, monkeypatch):  # noqa: F811
        path = saved(tmp_path / "two.pt", Bright(classes=2))
        net = Bright(classes=2)
        with torch.no_grad():
            net.see.weight[0], net.see.bias[0] = 0, 0
        saved(path, net)
        asked: list[str] = []

        def answer(parent, title, question, answers, **how):
            asked.append(question)
            return SOFTMAX, True

        monkeypatch.setattr(
            QFileDialog, "getOpenFileName", lambda *args: (str(path), "")
        )
        monkeypatch.setattr(QInputDialog, "getItem", answer)
        (button,) = window.find(LoadButton)
        (chooser,) = window.find(MethodChooser)

        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        window.qtbot.waitUntil(
            lambda: window.desk.controller.method.name == "two.pt", timeout=20_000
        )
        window.click(15, 15)

        assert "load only those from" in asked[0]
        assert chooser.currentText() == "two.pt"
        assert chooser.toolTip() == f"{path}: {SOFTMAX}"
        assert window.session.mask is not None
        assert 60 < window.session.mask[1].sum() < 160

    def test_who_thinks_better_of_it_loads_nothing(self, window, monkeypatch):  # noqa: F811
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: ("", ""))
        (button,) = window.find(LoadButton)

        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

        assert window.desk.controller.method.name == "cells"
        assert window.desk.own_methods == {}
