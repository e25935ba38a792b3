"""Teach it my cells: beside the clicking, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QPushButton

from napari_iseg.gui.controls.method_chooser import MethodChooser
from napari_iseg.gui.controls.section import Section
from napari_iseg.gui.controls.teach_box import TeachBox
from napari_iseg.gui.teaching import Teaching
from napari_iseg.teaching.lesson_files import PLAN, read_lesson
from tests.gui.conftest import Bench
from tests.gui.test_window import Window, open_window  # noqa: F401 - a fixture

QUIET = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:napari"),
]
KEPT = "Kept as 'cells+mine': a robot needs fewer clicks."


@pytest.fixture(autouse=True)
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_ISEG_TAUGHT", str(tmp_path / "taught"))
    return tmp_path / "taught"


def six_squares(*leading: int) -> np.ndarray:
    image = np.zeros((*leading, 70, 100), np.uint8)
    for row in (10, 45):
        for column in (10, 40, 70):
            image[..., row : row + 12, column : column + 12] = 200
    return image


CENTRES = [(row, column) for row in (15, 50) for column in (15, 45, 75)]


class HandLed:
    """A process that says what the test wants it to say."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.was_killed = False

    def __call__(self, folder: Path, hear: Callable, ended: Callable) -> HandLed:
        self.folder, self.line, self.ended = folder, hear, ended
        return self

    def kill(self) -> None:
        self.was_killed = True

    def say(self, **news: Any) -> None:
        self.line(json.dumps(news) + "\n")


class Taught:
    """A desk with teaching beside it: no window, no process."""

    def __init__(self, image: np.ndarray) -> None:
        self.bench = Bench(image)
        self.process = HandLed()
        self.teaching = Teaching(
            self.bench.runner, self.process, lambda: None, self.bench.desk.complain
        )

    def accept(self, number: int) -> None:
        for place in CENTRES[:number]:
            self.bench.click(*place)
            self.bench.accept()

    def start(self, labels: Any = None, method: str = "cells", name: str = "mine"):
        read = self.bench.desk.to_teach(labels)
        self.teaching.start(read, method, {"name": name, "device": "cpu"})

    def teach(self, **more: Any) -> None:
        self.start(**more)
        self.bench.settle()


@pytest.fixture
def one() -> Taught:
    return Taught(six_squares())


# On a desk without a window


def test_what_was_accepted_goes_to_a_process_of_its_own(one):
    one.accept(6)

    one.teach()

    (plane,), settings = read_lesson(one.process.folder)
    assert settings == {"method": "cells", "name": "mine", "device": "cpu"}
    assert len(plane.objects) == 6
    assert ((plane.labels > 0) == (six_squares() > 0)).all()
    assert one.teaching.is_running


def test_a_labels_layer_may_be_learnt_from_all_planes_of_it():
    """Given cells drawn by hand on two planes of a stack, then both are lessons."""
    one = Taught(six_squares(3))
    drawn = np.zeros((3, 70, 100), np.int32)
    for at, (row, column) in enumerate(CENTRES):
        drawn[at % 2, row - 5 : row + 7, column - 5 : column + 7] = at + 1
    layer = one.bench.viewer.add_labels(drawn)

    one.teach(labels=layer)

    planes, _ = read_lesson(one.process.folder)
    assert [(p.name, p.wanted) for p in planes] == [
        ("cells 0", (1, 3, 5)),
        ("cells 1", (2, 4, 6)),
    ]


def test_news_are_shown_and_the_result_is_told(one):
    one.accept(6)
    one.teach()
    folder = one.process.folder

    one.process.say(stage="learning", done=3, total=160)
    assert one.teaching.news == {"stage": "learning", "done": 3, "total": 160}
    one.process.line("a library prints this\n")
    one.process.say(method="cells+mine", sentence=KEPT)

    assert not one.teaching.is_running
    assert (one.teaching.method, one.teaching.sentence) == ("cells+mine", KEPT)
    assert not folder.exists()


def test_cancelling_ends_the_process_and_leaves_nothing(one):
    one.accept(6)
    one.teach()

    one.teaching.cancel()
    one.process.say(method="cells+mine", sentence=KEPT)  # too late

    assert one.process.was_killed
    assert not one.process.folder.exists()
    assert one.teaching.sentence == "Cancelled; nothing was kept."
    assert not one.teaching.is_running


def test_cancelling_while_the_lesson_is_written_starts_no_process(one):
    one.accept(6)
    one.start()

    one.teaching.cancel()
    one.bench.settle()

    assert one.process.folder is None


def test_too_few_objects_are_told_with_how_many_are_needed(one):
    one.accept(4)

    one.teach()

    (said,) = one.bench.heard.warnings
    assert said.startswith("There are 4 of the 6 objects that teaching needs")
    assert not one.teaching.is_running


def test_a_method_without_a_network_is_told(one):
    one.accept(6)

    with pytest.raises(ValueError, match="'Random walk' has no network"):
        one.teach(method="random-walk")


def test_a_name_that_is_taken_is_told(one, taught):
    taught.mkdir()
    (taught / "cells+mine.safetensors").touch()
    one.accept(6)

    with pytest.raises(ValueError, match="never overwritten"):
        one.teach()


def test_what_the_process_cannot_do_is_told(one):
    one.accept(6)
    one.teach()

    one.process.say(problem="memory ran out while teaching; close other programs")

    assert one.bench.heard.warnings == [
        "Memory ran out while teaching; close other programs"
    ]
    assert not one.teaching.is_running


def test_a_process_that_dies_is_told(one):
    one.accept(6)
    one.teach()

    one.process.ended(-9, "Traceback\nKilled\n")

    (said,) = one.bench.heard.warnings
    assert said.startswith("The teaching ended early (exit code -9: Killed); memory")


def test_without_an_image_the_user_is_told_what_to_do():
    with pytest.raises(ValueError, match="no image to learn from; open one"):
        Bench().desk.to_teach(None)


# In a real window


class TestInAWindow:
    pytestmark = QUIET

    def box_of(self, window: Window) -> TeachBox:
        (box,) = window.find(TeachBox)
        (section,) = (s for s in window.find(Section) if "Teach" in s.text())
        section.expand(animate=False)
        return box

    def button(self, box: TeachBox, title: str) -> QPushButton:
        (found,) = (b for b in box.findChildren(QPushButton) if b.text() == title)
        return found

    def accept_all(self, window: Window) -> None:
        for place in CENTRES:
            window.click(*place)
            window.desk.controller.do(lambda s: s.accept())

    def test_a_tiny_course_ends_with_a_sentence(self, open_window, taught):  # noqa: F811
        """The real process, the shipped weights, one step; clicks go on meanwhile."""
        window = open_window(six_squares())
        self.accept_all(window)
        box = self.box_of(window)
        box.steps = 1
        assert box.name.text() == "my cells"

        self.button(box, "Teach it my cells").click()
        assert self.button(box, "Cancel").isEnabled()
        window.click(15, 16)
        window.qtbot.waitUntil(lambda: bool(box.text), timeout=240_000)

        kept = list(taught.glob("*.safetensors"))
        if box.text.startswith("Kept as 'cells+my cells'"):
            (chooser,) = window.find(MethodChooser)
            titles = [chooser.itemText(i) for i in range(chooser.count())]
            assert len(kept) == 1
            assert "Cells · my cells" in titles
        else:
            assert box.text.startswith("Not kept: on 3 objects that were held out")
            assert kept == []
        assert not self.button(box, "Cancel").isEnabled()

    def test_cancel_and_closing_the_dock_end_the_process(self, open_window, taught):  # noqa: F811
        window = open_window(six_squares())
        self.accept_all(window)
        box = self.box_of(window)
        teaching = window.widget.teaching

        self.button(box, "Teach it my cells").click()
        window.qtbot.waitUntil(lambda: teaching._course.process is not None)
        self.button(box, "Cancel").click()
        assert box.text == "Cancelled; nothing was kept."

        self.button(box, "Teach it my cells").click()
        window.qtbot.waitUntil(lambda: teaching._course.process is not None)
        folder = teaching._course.folder
        assert (folder / PLAN).is_file()
        window.viewer.window.remove_dock_widget("all")
        assert not folder.exists()
        assert not taught.exists()

    def test_a_taught_method_can_be_chosen(self, open_window, taught):  # noqa: F811
        taught.mkdir()
        for ending in ("safetensors", "json"):
            (taught / f"cells+worms.{ending}").write_text("{}")
        window = open_window(six_squares())
        (chooser,) = window.find(MethodChooser)
        titles = [chooser.itemText(i) for i in range(chooser.count())]

        chooser._activated(titles.index("Cells · worms"))

        assert window.desk.controller.method.name == "cells+worms"
        window.click(15, 15)
        window.desk.controller.do(lambda s: s.accept())
        assert window.session.objects[1].method == "cells+worms"
