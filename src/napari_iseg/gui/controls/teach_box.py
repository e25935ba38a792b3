"""Teach it my cells: from what was accepted to a method of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLineEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.gui.controls.comparison_box import Paragraph
from napari_iseg.gui.controls.row import row_of
from napari_iseg.gui.controls.section import form_of
from napari_iseg.gui.teaching import Teaching
from napari_iseg.polished import unpolished
from napari_iseg.taught import free_name, parts_of
from napari_iseg.teaching.lesson import FEWEST

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

WHAT = (
    "The chosen method's network learns from your objects, for some minutes beside "
    f"your clicking. {FEWEST} objects are needed, more are better. Some are held out: "
    "only if a robot needs fewer clicks on these than before, a new method is kept "
    "under this name. The old one stays as it is."
)
STAGES = {
    "before": "a robot clicks · %p %",
    "learning": "learning · %p %",
    "after": "a robot clicks again · %p %",
}


class TeachBox(QWidget):
    """Source and name, Teach and Cancel, how far it is and what came of it."""

    def __init__(self, desk: WorkDesk, teaching: Teaching) -> None:
        super().__init__()
        self._desk, self._teaching = desk, teaching
        self._source: Any | None = None  # a Labels layer; None: what was accepted
        self.steps: int | None = None  # of learning; None: as many as usual
        self._sources = ChoiceBox(
            self._choose,
            "What you accepted in this image, or a Labels layer on it: drawn by hand, "
            "or dropped as a click log into napari. All planes of it count",
        )
        self.name = QLineEdit()
        self.name.setToolTip("What the new method is called in the list of methods")
        self._teach = _button("Teach it my cells", "Learn from these objects")
        self._cancel = _button("Cancel", "Stop; nothing is kept")
        self._teach.clicked.connect(self.teach)
        self._cancel.clicked.connect(teaching.cancel)
        self._progress = QProgressBar()
        self._said = Paragraph()
        self._suggested = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(Paragraph(WHAT))
        layout.addWidget(form_of({"From": self._sources, "Name": self.name}))
        layout.addWidget(row_of(self._teach, self._cancel))
        layout.addWidget(self._progress)
        layout.addWidget(self._said)
        self._progress.hide()
        self._said.hide()

    @property
    def text(self) -> str:
        """What is said below the buttons."""
        return str(self._said.text())

    def teach(self) -> None:
        """Begin; the user hears of what cannot be."""
        method = self._desk.controller.method
        settings = {"name": self.name.text().strip(), "device": method.device}
        if self.steps is not None:
            settings["steps"] = self.steps
        try:
            read = self._desk.to_teach(self._source)
            self._teaching.start(read, unpolished(method.name), settings)
        except Exception as problem:  # noqa: BLE001 - nothing may escape into Qt
            self._desk.complain(problem)

    def refresh(self) -> None:
        teaching, is_running = self._teaching, self._teaching.is_running
        has_image = self._desk.layers.image is not None
        self._teach.setEnabled(has_image and not is_running)
        self._cancel.setEnabled(is_running)
        self._offer_sources(has_image=has_image)
        self._suggest_name()
        self._progress.setVisible(is_running)
        if is_running:
            self._show_progress(teaching.news)
        if self._said.text() != teaching.sentence:
            self._said.say(teaching.sentence)

    def _show_progress(self, news: dict[str, Any]) -> None:
        self._progress.setRange(0, news.get("total", 0))  # 0: nobody knows yet
        self._progress.setValue(news.get("done", 0))
        self._progress.setFormat(STAGES.get(news.get("stage", ""), ""))

    def _offer_sources(self, *, has_image: bool) -> None:
        layers = self._desk.layers
        found: list[Any] = []
        if has_image:
            found = layers.label_layers(layers.image, self._desk.channels.axis)
        if self._source not in found:
            self._source = None
        choices = [(one.name, one) for one in found]
        self._sources.offer([("accepted objects", None), *choices], self._source)

    def _suggest_name(self) -> None:
        """A name that is free, until the user writes one."""
        if self._teaching.is_running or self.name.text() != self._suggested:
            return
        base, _ = parts_of(unpolished(self._desk.controller.method.name))
        self._suggested = free_name(base)
        self.name.setText(self._suggested)

    def _choose(self, layer: Any | None) -> None:
        self._source = layer


def _button(title: str, tooltip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
