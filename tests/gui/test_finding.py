"""Find all objects: beside the clicking, harming nothing; then clicks correct them."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QProgressBar, QPushButton

from napari_iseg import Click
from napari_iseg.gui.controls.finding_box import FindingBox
from napari_iseg.gui.controls.section import Section
from tests.fakes import BrightFinder, Turns
from tests.gui.conftest import Bench, squares
from tests.gui.test_window import Window, open_window, window  # noqa: F401 - fixtures

QUIET = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:napari"),
]


@pytest.fixture
def bench() -> Bench:
    return to_search(squares(60, 70))


def to_search(image: np.ndarray | None = None) -> Bench:
    """A desk that finds by a method that cannot be clicked with."""
    bench = Bench(image)
    bench.desk.choose_finder("watershed")
    return bench


def found(bench: Bench) -> Bench:
    bench.desk.find_all()
    bench.settle()
    return bench


# On a desk without a window


def test_every_object_is_found_accepted_and_drawn(bench):
    """Given an image with two bright squares,
    when all objects are found,
    then both are accepted objects in the labels layer, and the sentence counts them."""
    found(bench)

    assert (bench.objects.data == 1).sum() == 100
    assert (bench.objects.data == 2).sum() == 400
    assert bench.session.label == 3
    assert bench.desk.finding.sentence == (
        "2 objects found. Click on one to correct it."
    )


def test_one_undo_takes_all_of_it_back(bench):
    found(bench)

    bench.desk.controller.do(lambda s: s.undo())

    assert not bench.objects.data.any()
    assert not bench.session.can_undo


def test_what_was_accepted_before_is_never_overwritten(bench):
    """Given an accepted object with clicks, which is larger than what will be found,
    when all objects are found,
    then it is the same as before, and only the other square is new."""
    bench.click(15, 15)
    bench.desk.controller.do(lambda s: s.choose(1))
    bench.accept()
    before = bench.session.objects[1]

    found(bench)

    assert bench.session.objects[1] is before
    assert bench.desk.finding.sentence.startswith("1 object found.")
    assert np.unique(bench.objects.data).tolist() == [0, 1, 2]


def test_what_was_painted_by_hand_stays(bench):
    bench.objects.data[12:14, 12:14] = 9

    found(bench)

    assert (bench.objects.data == 9).sum() == 4


def test_the_object_in_progress_goes_on(bench):
    bench.click(40, 40)

    found(bench)

    assert bench.session.clicks.items == (Click(40, 40),)
    assert list(bench.session.objects) == [2]
    assert bench.layer("iseg preview").data.shape == (20, 20)


def test_a_click_is_answered_before_the_next_part(bench):
    """Given a search of four parts, when the user clicks after the first,
    then the click is answered before the search is over."""
    bench.desk.find_all()
    bench.runner.turn()

    bench.positive.add((15, 15))
    bench.runner.turn()  # one part at most stands before the click
    bench.runner.turn()

    assert bench.session.wanted is None
    assert bench.desk.finding.is_running
    bench.settle()
    assert list(bench.session.objects) == [2]  # the other square: this one is clicked


def test_cancelling_changes_nothing_and_looks_at_no_further_part(bench):
    bench.desk.find_all()
    bench.runner.turn()

    bench.desk.finding.cancel()
    bench.settle()

    assert not bench.desk.finding.is_running
    assert bench.desk.finding.sentence == "Cancelled; nothing was changed."
    assert bench.finder.looked in ([1], [1, 2])
    assert not bench.session.can_undo


def test_finding_twice_adds_nothing(bench):
    found(found(bench))

    assert bench.desk.finding.sentence == (
        "Nothing new was found: all of it is accepted already."
    )
    assert len(bench.session.objects) == 2


def test_an_image_without_objects_says_so():
    bench = found(to_search(np.full((20, 30), 7, np.uint8)))

    assert bench.desk.finding.sentence.startswith("No object was found")


def test_without_an_image_the_user_is_told_what_to_do():
    bench = to_search()

    bench.desk.find_all()

    assert bench.heard.warnings == [
        "There is no plane to search; open an image and choose it"
    ]


def test_a_method_that_fails_is_heard_and_the_search_is_over(bench):
    def broken():
        raise ValueError("these weights are of another network")

    bench.finder.wait = broken

    found(bench)

    assert bench.heard.warnings == ["These weights are of another network"]
    assert not bench.desk.finding.is_running


@pytest.mark.parametrize("is_transposed", [False, True])
def test_very_many_pixels_are_drawn_and_taken_back(is_transposed):
    """Given an image full of large cells, also seen with its axes swapped,
    when all are found, undone and found again,
    then the labels are right each time, and what was painted by hand stays."""
    image = np.zeros((500, 700), np.uint8)
    for row in range(0, 500, 250):
        image[row + 10 : row + 240, 10:690] = 200
    bench = to_search(image)
    if is_transposed:
        bench.viewer.dims.order = (1, 0)
        bench.settle()
    bench.objects.data[20:30, 20:25] = 9

    found(bench)

    drawn = np.asarray(bench.objects.data)
    by_hand = np.zeros(image.shape, bool)
    by_hand[20:30, 20:25] = True
    assert np.array_equal(drawn > 0, image > 0)
    assert (drawn[by_hand] == 9).all()
    assert len(np.unique(drawn[~by_hand])) == 3
    bench.desk.controller.do(lambda s: s.undo())
    assert np.array_equal(np.asarray(bench.objects.data) > 0, by_hand)


def test_planes_of_a_stack_share_their_labels():
    """Given a stack, when objects are found on one plane and the user has moved on,
    then they are that plane's, and the next plane's labels go on from there."""
    stack = squares(3, 60, 70)
    bench = to_search(stack)
    bench.viewer.dims.set_point(0, 0)
    bench.settle()
    bench.desk.find_all()

    bench.viewer.dims.set_point(0, 1)
    bench.settle()
    found(bench)
    bench.viewer.dims.set_point(0, 0)
    bench.settle()

    assert np.unique(bench.objects.data[0]).tolist() == [0, 1, 2]
    assert np.unique(bench.objects.data[1]).tolist() == [0, 3, 4]
    assert not bench.objects.data[2].any()


def test_a_removed_image_ends_the_search_well(bench):
    bench.desk.find_all()
    bench.runner.turn()

    bench.viewer.layers.clear()
    bench.settle()

    assert not bench.desk.finding.is_running
    assert bench.heard.errors == []


def test_a_method_that_takes_clicks_too_answers_those_that_correct_it():
    """Given a method that is in the list of those with clicks, too,
    when it has found all objects,
    then it is the chosen one, and the sentence says so."""
    bench = to_search(squares(60, 70))
    bench.desk.choose_finder("graph-cut")

    found(bench)

    assert bench.desk.controller.method.name == "graph-cut"
    assert bench.desk.finding.sentence == (
        "2 objects found. Click on one to correct it, by Graph cut."
    )


# Correcting what was found


def test_a_click_on_a_found_object_corrects_it(bench):
    """Given two found objects, when the user right-clicks into the large one,
    then it is in progress under its own label, begins as it was found, and is
    accepted with that label."""
    found(bench)

    bench.layer("iseg negative").add((45, 45))
    bench.settle()

    session = bench.session
    assert (session.label, len(session.clicks.negative)) == (2, 1)
    assert session.prior.mask().sum() == 400
    assert not (bench.objects.data == 2).any()
    assert len(bench.layer("iseg negative").data) == 1


def test_one_undo_closes_a_found_object_again(bench):
    found(bench)
    bench.click(40, 40)

    bench.desk.controller.do(lambda s: s.undo())

    assert bench.session.is_blank
    assert (bench.objects.data == 2).sum() == 400
    assert len(bench.positive.data) == 0


def test_a_corrected_object_can_be_corrected_again(bench):
    found(bench)
    bench.click(40, 40)
    bench.accept()

    bench.click(35, 35)

    assert bench.session.label == 2
    assert bench.session.clicks.items == (Click(40, 40), Click(35, 35))


def test_a_click_beside_found_objects_begins_a_new_one(bench):
    found(bench)

    bench.click(55, 5)

    assert bench.session.label == 3


def test_a_click_on_an_object_of_clicks_begins_a_new_one(bench):
    bench.click(15, 15)
    bench.accept()

    bench.click(15, 17)

    assert bench.session.label == 2
    assert list(bench.session.objects) == [1]


def test_while_an_object_is_in_progress_clicks_are_its_own(bench):
    found(bench)
    bench.click(15, 15)

    bench.click(40, 40)

    assert bench.session.label == 1
    assert len(bench.session.clicks) == 2


# In the window


class Searching(Window):
    def __init__(self, viewer, qtbot, segmenter, **preferences):
        self.finder = BrightFinder()
        finder = self.finder
        super().__init__(
            viewer,
            qtbot,
            segmenter,
            load_automatic=lambda name, *, device: finder,
            **preferences,
        )
        self.desk.choose_finder("watershed")
        (self.box,) = self.widget.findChildren(FindingBox)
        self.buttons = {
            button.text(): button for button in self.box.findChildren(QPushButton)
        }

    def press(self, title: str) -> None:
        QTest.mouseClick(self.buttons[title], Qt.MouseButton.LeftButton)

    def wait_until_found(self) -> None:
        self.qtbot.waitUntil(lambda: not self.desk.finding.is_running, timeout=20_000)


@pytest.fixture
def searching(make_napari_viewer, qtbot):
    from tests.fakes import BrightSegmenter

    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 900)
    viewer.add_image(squares(60, 70), name="cells")
    return Searching(viewer, qtbot, BrightSegmenter())


class TestInTheWindow:
    pytestmark = QUIET

    def test_the_button_is_there_without_unfolding_anything(self, searching):
        assert self_section(searching).isExpanded()
        assert searching.buttons["Find all objects"].isVisible()
        assert searching.buttons["Find all objects"].isEnabled()
        assert not searching.buttons["Cancel"].isEnabled()

    def test_finding_shows_progress_and_leaves_the_window_free(self, searching):
        """Given a slow method, when the button is pressed,
        then the window shows how far it is and takes a click before it is done."""
        turns = Turns()
        searching.finder.wait = turns.wait
        searching.press("Find all objects")
        (bar,) = searching.box.findChildren(QProgressBar)
        assert bar.isVisible()
        assert not searching.buttons["Find all objects"].isEnabled()

        turns.give(2)
        searching.qtbot.waitUntil(lambda: bar.value() == 2, timeout=20_000)
        searching.mouse(40, 40)
        assert len(searching.session.clicks) == 1
        turns.give_all()
        searching.wait_until_found()
        searching.settle()

        assert bar.maximum() == 4
        assert not bar.isVisible()
        assert searching.box.text == "1 object found. Click on one to correct it."
        assert (searching.layer("iseg objects").data > 0).sum() == 100

    def test_cancel_is_obeyed(self, searching):
        turns = Turns()
        searching.finder.wait = turns.wait
        searching.press("Find all objects")

        searching.press("Cancel")
        turns.give_all()

        assert searching.box.text == "Cancelled; nothing was changed."
        assert searching.buttons["Find all objects"].isEnabled()
        assert not searching.session.can_undo

    def test_find_then_correct_then_undo_with_the_mouse_and_keys(self, searching):
        searching.press("Find all objects")
        searching.wait_until_found()
        objects = searching.layer("iseg objects").data

        searching.click(45, 45, Qt.MouseButton.RightButton)
        assert searching.session.label == 2
        assert not (objects == 2).any()
        searching.key(Qt.Key.Key_Escape)
        control = Qt.KeyboardModifier.ControlModifier
        for _ in range(2):  # the clearing, the click
            searching.key(Qt.Key.Key_Z, control)

        assert (objects == 2).sum() == 400
        searching.key(Qt.Key.Key_Z, control)
        assert not objects.any()

    def test_closing_the_dock_while_it_searches_is_quiet(self, searching):
        turns = Turns()
        searching.finder.wait = turns.wait
        searching.press("Find all objects")

        searching.viewer.window.remove_dock_widget(searching.widget)
        turns.give_all()
        searching.qtbot.wait(50)

        assert "iseg objects" in searching.viewer.layers


def self_section(searching: Searching) -> Section:
    (one,) = (
        section
        for section in searching.widget.findChildren(Section)
        if section.isAncestorOf(searching.box)
    )
    return one
