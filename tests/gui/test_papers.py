"""The papers' networks in a real napari window: chosen, clicked with, compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from skimage.draw import polygon2mask

import napari_iseg
from napari_iseg import catalog
from napari_iseg.gui.controls import method_chooser
from napari_iseg.gui.controls.alternatives_strip import AlternativesStrip
from napari_iseg.gui.controls.method_chooser import MethodChooser
from napari_iseg.gui.demo import bundled_scenes
from napari_iseg.gui.preferences import Preferences
from napari_iseg.gui.widget import SegmentWidget
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.refine.windowed import Windowed
from napari_iseg.segmenter import Segmenter
from napari_iseg.widest_error import next_click
from tests.gui.test_window import Window
from tests.published_papers import entry_of
from tests.tiny_papers import tiny_segmenter

pytestmark = [
    pytest.mark.gui,
    # napari's own: deprecations inside napari, vispy and superqt are not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:napari"),
]
SHIPPED = ["cells", *(name for name in NETWORKS if name in catalog.ENTRIES)]
TINY = "latent-diversity"


class LoadingWindow(Window):
    """A window whose methods are loaded by their names."""

    def __init__(self, viewer: Any, qtbot: Any, load: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.widget = SegmentWidget(viewer, load, Preferences())
        viewer.window.add_dock_widget(self.widget, name="Interactive segmentation")
        self.wait_for_layout()

    def choose(self, title: str) -> None:
        """As a user does, from the list."""
        (chooser,) = self.find(MethodChooser)
        chooser._activated(chooser.findText(title))

    def buttons(self) -> list[Any]:
        """Of the alternatives, those in sight."""
        (strip,) = self.find(AlternativesStrip)
        return [one for one in strip._buttons if one.isVisibleTo(strip)]


@pytest.fixture
def open_loading(make_napari_viewer, qtbot):
    def opened(image: np.ndarray, load: Any) -> LoadingWindow:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1100, 900)
        viewer.add_image(image, name="cells")
        return LoadingWindow(viewer, qtbot, load)

    return opened


def tissue() -> tuple[np.ndarray, np.ndarray]:
    """Stained tissue, and a nucleus in it that we outlined."""
    import skimage.data

    scene = next(one for one in bundled_scenes() if one.image != "coins")
    image = getattr(skimage.data, scene.image)()
    truth = polygon2mask(image.shape[:2], scene.outlines["large pale nucleus"])
    return image, truth


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_real_nucleus_is_segmented_in_the_window_as_by_the_library(
    open_loading, name: str
) -> None:
    """The demo's stained tissue: a few corrections, the same mask from both."""
    image, truth = tissue()
    window = open_loading(image, napari_iseg.load_segmenter)
    window.choose(napari_iseg.ENTRIES[name].title)
    predictor = napari_iseg.load_segmenter(name).prepare(image)
    mask = np.zeros(truth.shape, bool)

    while iou(mask, truth) < 0.55 and len(window.session.clicks) < 8:
        click = next_click(truth, mask, window.session.clicks)
        button = Qt.MouseButton.LeftButton
        if not click.is_positive:
            button = Qt.MouseButton.RightButton
        window.click(click.row, click.column, button)
        mask = predictor.predict(window.session.clicks) > 0.5
    window.key(Qt.Key.Key_N)

    assert window.session.objects[1].method == name
    np.testing.assert_array_equal(window.layer("iseg objects").data == 1, mask)
    assert iou(mask, truth) > 0.55


def several(name: str, *, device: str) -> Segmenter:
    """Untrained, so that it draws something: the first mask is what is bright."""
    segmenter = tiny_segmenter(TINY)
    assert isinstance(segmenter, Windowed)
    return replace(segmenter, policy=replace(segmenter.policy, smallest=64))


def test_all_masks_of_latent_diversity_are_offered_with_their_probabilities(
    open_loading,
) -> None:
    """Six buttons; a mask beyond the keys is taken with the mouse."""
    image = tissue()[0]
    window = open_loading(image, several)
    assert len(window.buttons()) == 3

    window.click(100, 430)
    buttons, found = window.buttons(), window.session.alternatives
    QTest.mouseClick(buttons[4], Qt.MouseButton.LeftButton)

    assert len(buttons) == len(found) == 6
    for button, (_, score) in zip(buttons, found, strict=True):
        assert button.isEnabled()
        assert button.text().endswith(f"{score:.0%}")
    assert sum(score for _, score in found) == pytest.approx(1)
    assert window.session.hypothesis == 4
    assert buttons[4].isChecked()
    assert not buttons[0].isChecked()


def test_the_list_of_methods_has_lines_between_kinds(open_loading, monkeypatch) -> None:
    """Ours, the papers', those without a network; a line cannot be chosen."""
    cells, *others = catalog.ENTRIES.values()
    classical = [one for one in others if one.card is None]
    published = [replace(entry_of(name), paper="A paper") for name in NETWORKS]
    entries = {one.name: one for one in (cells, *published, *classical)}
    monkeypatch.setattr(method_chooser, "ENTRIES", entries)
    window = open_loading(np.zeros((60, 60), np.uint8), several)
    (chooser,) = window.find(MethodChooser)

    titles = [chooser.itemText(i) for i in range(chooser.count())]
    lines = [index for index, title in enumerate(titles) if not title]

    assert titles[0] == "Cells"
    assert lines[:2] == [1, 2 + len(NETWORKS)]
    assert titles[2] == published[0].title
    for line in lines:
        assert not chooser.model().item(line).isEnabled()
    window.choose("Graph cut")
    assert window.desk.controller.method.name == "graph-cut"
