"""Find every object of the plane by itself; clicks correct what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_iseg.catalog import AUTOMATIC
from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.gui.controls.comparison_box import Paragraph
from napari_iseg.gui.controls.row import row_of

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

WHAT = (
    "Find every object of the shown plane and accept it. What you accepted stays as it "
    "is; one undo takes all of it back"
)


class FindingBox(QWidget):
    """Method, Find all objects and Cancel, how far it is and what came of it."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._methods = ChoiceBox(desk.choose_finder, "")
        self._find = _button("Find all objects", WHAT)
        self._cancel = _button("Cancel", "Stop; nothing is changed")
        self._find.clicked.connect(self.find)
        self._cancel.clicked.connect(desk.finding.cancel)
        self._progress = QProgressBar()
        self._said = Paragraph()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self._methods)
        layout.addWidget(row_of(self._find, self._cancel))
        for shown_later in (self._progress, self._said):
            layout.addWidget(shown_later)
            shown_later.hide()

    @property
    def text(self) -> str:
        """What is said below the buttons."""
        return str(self._said.text())

    def find(self) -> None:
        """Begin; the user hears of what cannot be."""
        self._desk.find_all()

    def refresh(self) -> None:
        finding, chosen = self._desk.finding, self._desk.finder
        self._methods.offer(
            [(one.title, one.name) for one in AUTOMATIC.values()], chosen
        )
        entry = AUTOMATIC.get(chosen)
        if entry is not None:
            self._methods.setToolTip(entry.summary)
        self._methods.setEnabled(not finding.is_running)
        self._find.setEnabled(self._desk.session is not None and not finding.is_running)
        self._cancel.setEnabled(finding.is_running)
        self._progress.setVisible(finding.is_running)
        progress = finding.progress
        self._progress.setRange(0, progress.total if progress else 0)  # 0: unknown yet
        self._progress.setValue(progress.done if progress else 0)
        if finding.sentence != self.text:
            self._said.say(finding.sentence)


def _button(title: str, tooltip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
