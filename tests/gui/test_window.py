"""The plugin in a real napari window: real mouse, real keys, the real thread."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest

from napari_iseg import Click
from napari_iseg.catalog import load_automatic
from napari_iseg.gui.controls.command_button import CommandButton
from napari_iseg.gui.controls.object_table import ObjectTable
from napari_iseg.gui.controls.status_line import StatusLine
from napari_iseg.gui.preferences import Preferences
from napari_iseg.gui.start import TITLE, segment_image
from napari_iseg.gui.widget import SegmentWidget
from tests.fakes import BrightSegmenter, Turns
from tests.gui.conftest import squares

pytestmark = [
    pytest.mark.gui,
    # napari's own: deprecations inside napari, vispy and superqt are not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:napari"),
]


class Window:
    """A viewer with the dock, and the hands of its user."""

    def __init__(
        self,
        viewer: Any,
        qtbot: Any,
        segmenter: BrightSegmenter,
        load_automatic: Any = load_automatic,
        **preferences: Any,
    ) -> None:
        self.viewer = viewer
        self.qtbot = qtbot
        self.segmenter = segmenter

        def load(name: str, *, device: str) -> BrightSegmenter:
            return segmenter

        self.widget = SegmentWidget(
            viewer, load, Preferences(**preferences), load_automatic
        )
        viewer.window.add_dock_widget(self.widget, name="Interactive segmentation")
        self.wait_for_layout()

    def wait_for_layout(self) -> None:
        """Until the canvas has the size that it will keep."""
        sizes: list[tuple[int, int]] = []

        def is_settled() -> bool:
            sizes.append(tuple(self.canvas.size))
            return min(sizes[-1]) > 100 and len(set(sizes[-5:])) == 1 < len(sizes[-5:])

        QTest.qWaitForWindowExposed(self.viewer.window._qt_window)
        self.qtbot.waitUntil(is_settled, timeout=10_000)
        self.viewer.reset_view()

    @property
    def desk(self):
        return self.widget.desk

    @property
    def session(self):
        return self.desk.session

    @property
    def canvas(self):
        return self.viewer.window._qt_viewer.canvas

    def place(self, row: float, column: float) -> QPoint:
        """Where a pixel of the image is on the canvas."""
        camera = self.viewer.camera
        height, width = self.canvas.size
        y = (row - camera.center[1]) * camera.zoom + height / 2
        x = (column - camera.center[2]) * camera.zoom + width / 2
        return QPoint(round(x), round(y))

    def mouse(self, row: float, column: float, button=Qt.MouseButton.LeftButton):
        place = self.place(row, column)
        QTest.mouseMove(self.canvas.native, place)
        QTest.mousePress(self.canvas.native, button, pos=place)
        QTest.mouseRelease(self.canvas.native, button, pos=place)

    def key(self, key: Qt.Key, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.canvas.native, key, modifiers)

    def settle(self) -> None:
        def is_settled() -> bool:
            controller = self.desk.controller
            return not controller.is_busy and (
                controller.session is None or controller.session.wanted is None
            )

        self.qtbot.waitUntil(is_settled, timeout=20_000)

    def click(self, row: float, column: float, button=Qt.MouseButton.LeftButton):
        self.mouse(row, column, button)
        self.settle()

    def layer(self, name: str) -> Any:
        return self.viewer.layers[name]

    def find(self, kind: type) -> list[Any]:
        return self.widget.findChildren(kind)


@pytest.fixture
def open_window(make_napari_viewer, qtbot):
    def opened(image=None, *, turns=None, preferences=None, **layer) -> Window:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1100, 800)
        if image is not None:
            viewer.add_image(image, name="cells", **layer)
        segmenter = BrightSegmenter(turns.wait) if turns else BrightSegmenter()
        return Window(viewer, qtbot, segmenter, **(preferences or {}))

    return opened


@pytest.fixture
def window(open_window) -> Window:
    return open_window(squares(60, 70))


def test_a_left_click_shows_the_cell_below_it(window):
    window.click(15, 15)

    assert window.session.clicks.items == (Click(15, 15),)
    assert window.layer("iseg preview").data.shape == (10, 10)


def test_a_right_click_says_the_opposite(window):
    window.click(40, 40)
    window.click(47, 47, Qt.MouseButton.RightButton)

    assert window.session.clicks.items[1] == Click(47, 47, is_positive=False)
    assert len(window.layer("iseg positive").data) == 1
    assert len(window.layer("iseg negative").data) == 1
    assert not window.session.unsatisfied


def test_a_right_click_on_the_negative_layer_is_positive(window):
    window.key(Qt.Key.Key_W)
    window.click(15, 15, Qt.MouseButton.RightButton)

    assert window.session.clicks.items == (Click(15, 15, is_positive=True),)


def test_a_middle_click_adds_nothing(window):
    window.click(15, 15, Qt.MouseButton.MiddleButton)

    assert len(window.session.clicks) == 0
    assert len(window.layer("iseg positive").data) == 0


def test_a_dragged_point_moves_its_click_in_one_step(window):
    window.click(15, 15)
    points = window.layer("iseg positive")
    points.mode = "select"
    native = window.canvas.native
    start, end = window.place(15, 15), window.place(40, 40)
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=start)
    for part in (0.3, 0.6, 1.0):
        QTest.mouseMove(native, start + (end - start) * part)
        QTest.qWait(30)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=end)
    window.settle()

    if window.session.clicks.items == (Click(15, 15),):
        pytest.fail("the drag did not reach napari")
    (click,) = window.session.clicks
    assert abs(click.row - 40) <= 1
    assert abs(click.column - 40) <= 1
    window.session.undo()
    assert window.session.clicks.items == (Click(15, 15),)


ACTIVE = ("image", "points", "labels", "shapes", "ours", "objects", "none")
KEYS = {
    "Q": (Qt.Key.Key_Q, ()),
    "W": (Qt.Key.Key_W, ()),
    "T": (Qt.Key.Key_T, ("shapes",)),
    "G": (Qt.Key.Key_G, ()),
    "Ctrl+Z": (Qt.Key.Key_Z, ("labels",)),
    "N": (Qt.Key.Key_N, ()),
    "Enter": (Qt.Key.Key_Return, ("labels", "shapes", "objects")),
    "Esc": (Qt.Key.Key_Escape, ("labels", "shapes", "objects")),
    "J": (Qt.Key.Key_J, ()),
    "K": (Qt.Key.Key_K, ()),
    "8": (Qt.Key.Key_8, ()),
    "9": (Qt.Key.Key_9, ()),
}


@pytest.fixture
def crowded(window):
    viewer = window.viewer
    layers = {
        "image": viewer.layers["cells"],
        "points": viewer.add_points([[1, 1]], name="my points"),
        "labels": viewer.add_labels(np.zeros((60, 70), int), name="my labels"),
        "shapes": viewer.add_shapes(name="my shapes"),
        "ours": viewer.layers["iseg positive"],
        "objects": viewer.layers["iseg objects"],
        "none": None,
    }
    window.click_here = lambda row, column: (
        window.desk.click(Click(row, column)),
        window.settle(),
    )
    window.layers = layers
    return window


def test_every_key_works_whichever_layer_is_active(crowded, monkeypatch):
    """The matrix of keys and active layers, minus what napari keeps for itself."""
    done: list[str] = []
    names = {"Q": "positive", "W": "negative", "T": "swap", "G": "run", "N": "accept"}
    names |= {"Ctrl+Z": "undo", "Enter": "accept", "Esc": "clear"}
    names |= {"J": "previous", "K": "next", "8": "alternative 1", "9": "alternative 2"}
    monkeypatch.setattr(
        "napari_iseg.gui.keys._run", lambda desk, command: done.append(command.name)
    )
    wrong = []
    for active in ACTIVE:
        for name, (key, not_on) in KEYS.items():
            crowded.viewer.layers.selection.clear()
            crowded.viewer.layers.selection.active = crowded.layers[active]
            done.clear()
            control = name.startswith("Ctrl")
            modifier = Qt.KeyboardModifier
            crowded.key(key, modifier.ControlModifier if control else modifier(0))
            wanted = [] if active in not_on else [names[name]]
            if done != wanted:
                wrong.append((active, name, list(done)))

    assert not wrong


def test_accepting_with_a_key_while_a_labels_layer_is_active(crowded):
    crowded.click_here(15, 15)
    crowded.viewer.layers.selection.active = crowded.layers["labels"]

    crowded.key(Qt.Key.Key_N)

    assert (crowded.layer("iseg objects").data == 1).sum() == 100


def test_preview_is_hidden_while_h_is_held(window):
    window.click(15, 15)
    native, preview = window.canvas.native, window.layer("iseg preview")

    QTest.keyPress(native, Qt.Key.Key_H)
    held = preview.visible
    QTest.keyRelease(native, Qt.Key.Key_H)

    assert (held, preview.visible) == (False, True)


def test_keys_take_a_user_through_two_objects_and_back(window):
    window.click(15, 15)
    window.key(Qt.Key.Key_Return)
    window.click(40, 40)
    window.key(Qt.Key.Key_9)
    bigger = window.session.mask
    window.key(Qt.Key.Key_Return)
    window.key(Qt.Key.Key_J)
    window.settle()

    assert bigger is not None
    assert bigger[1].shape == (24, 24)
    assert window.session.label == 2
    assert window.session.hypothesis == 1
    control = Qt.KeyboardModifier.ControlModifier
    for _ in range(12):
        window.key(Qt.Key.Key_Z, control)
    assert not window.layer("iseg objects").data.any()
    assert len(window.session.clicks) == 0
    shift = Qt.KeyboardModifier.ShiftModifier
    for _ in range(12):
        window.key(Qt.Key.Key_Z, control | shift)
    assert set(window.session.objects) == {1}


def test_gui_goes_on_while_a_slow_method_works_and_stale_clicks_are_skipped(
    open_window,
):
    turns = Turns()
    window = open_window(squares(60, 70), turns=turns)
    turns.give(1)
    window.click(12, 12)  # the method is loaded now
    asked = window.desk.controller._answerer._predictors
    before = sum(len(p.asked) for p in asked.values())
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(10)

    for column in range(13, 19):
        window.mouse(15, column)
    window.qtbot.waitUntil(lambda: len(ticks) >= 10, timeout=20_000)
    assert window.desk.controller.is_busy  # the event loop turns while it waits
    turns.give_all()
    window.settle()
    timer.stop()

    predictions = sum(len(p.asked) for p in asked.values()) - before
    assert len(window.session.clicks) == 7
    assert predictions == 2  # the one that was being found, and the last


def test_networks_run_in_one_thread_that_is_not_the_gui_thread(open_window):
    threads = set()

    class Tells(BrightSegmenter):
        def prepare(self, *arguments, **options):
            threads.add(threading.current_thread().name)
            return super().prepare(*arguments, **options)

    for _ in range(2):
        window = open_window(squares(60, 70))
        window.segmenter.__class__ = Tells
        window.click(15, 15)

    assert len(threads) == 1
    assert threads.pop().startswith("napari-iseg")


def test_stop_button_ends_waiting(open_window):
    turns = Turns()
    window = open_window(squares(60, 70), turns=turns)
    window.mouse(15, 15)
    (stop,) = [b for b in window.find(CommandButton) if b.text() == "Stop"]
    assert stop.isEnabled()

    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)

    assert not stop.isEnabled()
    turns.give_all()
    QTest.qWait(100)
    assert window.session.answer is None
    assert "press G" in window.find(StatusLine)[0].text()
    window.key(Qt.Key.Key_G)
    window.settle()
    assert window.session.answer is not None


def test_status_tells_device_time_and_whether_clicks_are_honoured(window):
    window.click(15, 15)

    text = window.find(StatusLine)[0].text()

    assert "ms" in text
    assert "auto" in text
    assert "every click is satisfied" in text


def test_a_remark_of_the_method_is_shown(window):
    window.click(15, 15)
    (predictor,) = window.desk.controller._answerer._predictors.values()
    predictor.remark = "the image is constant: there is nothing to find"

    window.click(17, 17)

    assert "the image is constant" in window.find(StatusLine)[0].text()


def test_without_live_clicks_wait_for_run(open_window):
    window = open_window(squares(60, 70), preferences={"live": False})
    window.mouse(15, 15)
    QTest.qWait(50)
    assert window.session.answer is None

    window.key(Qt.Key.Key_G)
    window.settle()

    assert window.session.mask is not None


def test_a_method_that_cannot_be_loaded_is_told_in_one_sentence(
    make_napari_viewer, qtbot
):
    def load(name: str, *, device: str) -> Any:
        raise ValueError("there is no graphics card here; choose the processor")

    viewer = make_napari_viewer(show=True)
    viewer.add_image(squares(60, 70))
    widget = SegmentWidget(viewer, load, Preferences())
    told: list[str] = []
    notification_manager.notification_ready.connect(lambda n: told.append(n.message))

    widget.desk.click(Click(15, 15))
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)

    assert told[0] == "There is no graphics card here; choose the processor"
    assert len(widget.desk.session.clicks) == 1
    widget.close()


def test_the_table_reopens_deletes_and_merges(window):
    table = window.find(ObjectTable)[0]
    for place in ((15, 15), (40, 40)):
        window.click(*place)
        window.key(Qt.Key.Key_N)
    table.select([1, 2])
    assert table.chosen == [1, 2]

    table._merge.click()
    assert set(np.unique(window.layer("iseg objects").data)) == {0, 1}
    window.session.undo()
    window.desk.controller.refresh()
    table.select([2])
    table._delete.click()
    assert set(np.unique(window.layer("iseg objects").data)) == {0, 1}
    table.select([1])
    table._reopen.click()
    window.settle()

    assert window.session.clicks.items == (Click(15, 15),)
    assert not window.layer("iseg objects").data.any()


def test_two_windows_do_not_know_each_other(open_window):
    one, other = open_window(squares(60, 70)), open_window(squares(60, 70))

    one.click(15, 15)
    one.key(Qt.Key.Key_N)
    other.click(40, 40)

    assert not other.layer("iseg objects").data.any()
    assert len(one.session.clicks) == 0
    assert other.session.label == 1


def test_clicking_in_a_scaled_stack_annotates_the_shown_plane(open_window):
    window = open_window(squares(5, 60, 70), scale=(4, 2, 2))
    window.viewer.dims.set_current_step(0, 3)

    window.click(30, 30)  # world: twice the pixel
    window.key(Qt.Key.Key_N)

    found = window.layer("iseg objects").data
    assert [np.count_nonzero(plane) for plane in found] == [0, 0, 0, 100, 0]
    assert window.desk.layers.plane().hidden == (3,)


def test_deleting_our_layers_in_the_window_loses_nothing(window):
    window.click(15, 15)
    for name in ("iseg positive", "iseg preview", "iseg objects"):
        window.viewer.layers.remove(name)
        QTest.qWait(20)

    assert len(window.layer("iseg positive").data) == 1
    window.key(Qt.Key.Key_N)
    assert (window.layer("iseg objects").data == 1).sum() == 100


def test_closing_the_dock_removes_helpers_keeps_labels_and_unbinds_keys(window):
    window.click(15, 15)
    window.key(Qt.Key.Key_N)

    window.viewer.window.remove_dock_widget(window.widget)
    QTest.qWait(20)

    names = [layer.name for layer in window.viewer.layers]
    assert names == ["cells", "iseg objects"]
    window.key(Qt.Key.Key_J)
    assert window.session.label == 2
    window.widget.deleteLater()
    gc.collect()


def test_the_menu_opens_the_dock_on_the_active_image_and_reopening_it_continues(
    make_napari_viewer, monkeypatch
):
    segmenter = BrightSegmenter()
    monkeypatch.setattr("napari_iseg.load_segmenter", lambda name, *, device: segmenter)
    viewer = make_napari_viewer(show=True)
    wanted = viewer.add_image(squares(60, 70), name="wanted")
    viewer.add_image(squares(80, 90), name="other")
    viewer.layers.selection.active = wanted
    _, widget = viewer.window.add_plugin_dock_widget("napari-iseg", TITLE)
    widget.desk.click(Click(15, 15))

    viewer.window.remove_dock_widget(widget)
    viewer.layers.selection.active = viewer.layers["other"]
    segment_image(viewer)
    (again,) = {
        dock for name, dock in viewer.window.dock_widgets.items() if TITLE in name
    }
    other = again.desk.layers.image.name
    viewer.layers.selection.active = wanted
    segment_image(viewer)

    assert other == "other"
    assert again.desk.layers.image == wanted
    assert again.desk.session.clicks.items == (Click(15, 15),)
    again.close()


def test_accepting_into_a_large_label_image_touches_a_small_part_of_it(open_window):
    image = np.zeros((8192, 8192), np.uint8)
    window = open_window(image)
    from napari_iseg import Patch

    session = window.session
    window.desk.controller.is_live = False
    window.desk.click(Click(4000, 4000))
    patch = Patch(np.ones((200, 200), np.float32), (3900, 3900))
    session.deliver(session.wanted, [(patch, 1.0)])
    window.desk.controller.refresh()

    tracemalloc.start()
    window.key(Qt.Key.Key_N)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (window.layer("iseg objects").data[3900:4100, 3900:4100] == 1).all()
    assert peak < image.nbytes / 4  # bytes


@pytest.mark.gui
def test_waiting_times_are_taken_in_a_real_window():
    from napari_iseg import Clicks
    from napari_iseg.gui.waiting_times import waiting_times

    image = np.zeros((300, 300), np.uint8)
    image[60:120, 60:120] = 200
    image[180:240, 180:240] = 200
    objects = [Clicks.at([(90, 90), (95, 95)]), Clicks.at([(210, 210), (215, 215)])]

    times, gaps = waiting_times(image, objects)

    assert {kind: len(seconds) for kind, seconds in times.items()} == {
        "first": 1,
        "later": 1,
        "accept": 1,
    }
    assert all(s > 0 for seconds in times.values() for s in seconds)
    assert len(gaps) > 0
