"""Which method suits my data: the comparison beside the clicking."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QTableWidget

from napari_iseg import ENTRIES
from napari_iseg.gui.controls.comparison_box import BY_HAND, ComparisonBox, result_text
from napari_iseg.gui.controls.section import Section
from napari_iseg.own_data import standings
from tests.fakes import BrightSegmenter, Turns
from tests.gui.conftest import Bench, squares
from tests.gui.test_window import Window, open_window, window  # noqa: F401 - fixtures

QUIET = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:napari"),
]


def with_two_objects(bench: Bench) -> Bench:
    for place in ((15, 15), (40, 40)):
        bench.click(*place)
        bench.accept()
    return bench


# On a desk without a window


def test_every_ticked_method_is_measured_on_every_accepted_object(bench):
    with_two_objects(bench)

    bench.desk.compare(["cells", "graph-cut"])
    bench.settle()

    ranked = standings(bench.desk.comparing.curves)
    assert [(one.method, one.clicks) for one in ranked] == [
        ("cells", (1, 1)),
        ("graph-cut", (1, 1)),
    ]
    assert not bench.desk.comparing.is_running


def test_a_click_is_answered_before_the_comparison_goes_on(bench):
    with_two_objects(bench)
    bench.desk.compare(["cells", "graph-cut"])
    bench.runner.turn()  # the first answer of the comparison; the second one waits

    bench.positive.add((15, 17))
    while bench.later:
        bench.later.pop(0)()
    bench.runner.turn()  # one answer of the comparison at most stands before it
    bench.runner.turn()

    assert bench.session.wanted is None
    assert bench.desk.comparing.is_running


def test_without_an_accepted_object_the_user_is_told_what_to_do(bench):
    bench.click(15, 15)

    bench.desk.compare(["cells"])

    (said,) = bench.heard.warnings
    assert said.startswith("There is no accepted object to compare on; segment a few")
    assert not bench.desk.comparing.is_running


def test_without_an_image_the_user_is_told_what_to_do():
    bench = Bench()

    bench.desk.compare(["cells"])

    assert bench.heard.warnings == [
        "There is no image to compare on; open one and choose it"
    ]


@pytest.mark.gui
def test_some_methods_are_left_to_be_ticked_by_hand(bench, qtbot):
    box = ComparisonBox(bench.desk)
    qtbot.addWidget(box)

    assert box.ticked == [name for name in ENTRIES if name not in BY_HAND]


def test_without_a_ticked_method_the_user_is_told_what_to_do(bench):
    with_two_objects(bench)

    bench.desk.compare([])

    assert bench.heard.warnings == [
        "No method is chosen; tick those that you want to compare"
    ]


def test_cancelling_keeps_what_was_found(bench):
    with_two_objects(bench)
    bench.desk.compare(["cells"])
    while not bench.desk.comparing.curves:
        bench.runner.turn()

    bench.desk.comparing.cancel()
    bench.settle()

    comparing = bench.desk.comparing
    assert len(comparing.curves) == 1
    assert not comparing.is_running
    text = result_text(comparing, standings(comparing.curves))
    assert text.startswith("Cancelled; this is what was found. On your object 'cells'")


def test_the_image_may_go_while_it_runs(bench):
    """Given a comparison in progress, when the image is removed, then it ends well."""
    with_two_objects(bench)
    bench.desk.compare(["cells"])
    bench.runner.turn()

    bench.viewer.layers.clear()
    bench.settle()

    assert len(bench.desk.comparing.curves) == 2
    assert bench.heard.errors == []


def test_all_planes_of_a_stack_count():
    bench = Bench(squares(3, 60, 70))
    bench.viewer.dims.set_point(0, 0)
    bench.settle()
    bench.click(0, 15, 15)
    bench.accept()
    bench.viewer.dims.set_point(0, 2)
    bench.settle()
    bench.click(2, 40, 40)
    bench.accept()

    bench.desk.compare(["cells"])
    bench.settle()

    assert {one.data for one in bench.desk.comparing.curves} == {"cells 0", "cells 2"}


def test_a_method_that_fails_is_left_out_and_said(bench):
    with_two_objects(bench)

    class Broken(BrightSegmenter):
        def prepare(self, image, prior=None, others=None):
            raise RuntimeError("out of memory")

    load = bench.desk._engine._load
    bench.desk._engine._load = lambda name, *, device: (
        Broken() if name == "grab-cut" else load(name, device=device)
    )
    bench.desk.compare(["grab-cut", "graph-cut"])
    bench.settle()

    comparing = bench.desk.comparing
    assert {one.method for one in comparing.curves} == {"graph-cut"}
    text = result_text(comparing, standings(comparing.curves))
    assert text.endswith("GrabCut is left out: out of memory.")


# In a real window


class TestInAWindow:
    pytestmark = QUIET

    def button(self, box: ComparisonBox, title: str) -> QPushButton:
        (found,) = (b for b in box.findChildren(QPushButton) if b.text() == title)
        return found

    def accept_both(self, opened: Window) -> ComparisonBox:
        for place in ((15, 15), (40, 40)):
            opened.click(*place)
            opened.desk.controller.do(lambda s: s.accept())
        (box,) = opened.find(ComparisonBox)
        (section,) = (s for s in opened.find(Section) if "suits" in s.text())
        section.expand(animate=False)
        return box

    def test_compare_fills_the_table_and_says_what_follows(self, window):  # noqa: F811
        box = self.accept_both(window)
        box.tick(["cells", "random-walk"])

        self.button(box, "Compare").click()
        assert self.button(box, "Cancel").isEnabled()
        window.qtbot.waitUntil(lambda: bool(box.text), timeout=20_000)

        assert box.rows() == [
            ["Cells", "1.0", "1.0", "2"],
            ["Random walk", "1.0", "1.0", "2"],
        ]
        assert box.text.startswith("On your 2 objects 'Cells' needs 1.0 clicks")
        assert "You made 1.0 clicks an object." in box.text
        assert "2 of the 2 masks were made with 'Cells', which favours it" in box.text
        table = box.findChild(QTableWidget)
        said = box.findChildren(QLabel)[-1]
        assert said.text() == box.text
        window.qtbot.waitUntil(  # Qt lays out when it has the time
            lambda: (
                table.geometry().bottom() < said.geometry().top()
                and said.height() >= said.heightForWidth(said.width())
            )
        )
        assert box.findChild(QProgressBar).isHidden()
        assert not self.button(box, "Cancel").isEnabled()

    def test_clicks_are_answered_while_it_runs(self, open_window):  # noqa: F811
        turns = Turns()
        window = open_window(squares(60, 70), turns=turns)  # noqa: F811
        turns.give(2)
        box = self.accept_both(window)
        self.button(box, "Compare").click()

        window.mouse(45, 45)
        turns.give(2)  # one for the comparison, which came first, and one for the click
        window.settle()

        assert window.session.mask is not None
        assert window.desk.comparing.is_running
        self.button(box, "Cancel").click()
        assert not window.desk.comparing.is_running
        assert box.text.startswith("Cancelled")
        turns.give_all()

    def test_the_dock_may_be_closed_while_it_runs(self, open_window):  # noqa: F811
        turns = Turns()
        window = open_window(squares(60, 70), turns=turns)  # noqa: F811
        turns.give(2)
        box = self.accept_both(window)
        self.button(box, "Compare").click()

        window.viewer.window.remove_dock_widget("all")
        turns.give_all()
        window.qtbot.wait(300)

        assert np.count_nonzero(np.unique(window.layer("iseg objects").data)) == 2
