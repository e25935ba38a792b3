"""All that is needed while clicking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_iseg.gui.controls.alternatives_strip import AlternativesStrip
from napari_iseg.gui.controls.command_button import CommandButton
from napari_iseg.gui.controls.polarity_buttons import PolarityButtons
from napari_iseg.gui.controls.row import row_of
from napari_iseg.gui.status import object_text

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class ClickBox(QWidget):
    """Polarity, running, the object in progress, undo and accept, alternatives."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._live = QCheckBox("Live")
        self._live.setToolTip("Find the object after every click")
        self._live.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._live.toggled.connect(lambda is_on: desk.be_live(is_live=is_on))
        self._object = QLabel()
        run, stop = CommandButton(desk, "run"), CommandButton(desk, "stop")
        undo, redo = CommandButton(desk, "undo"), CommandButton(desk, "redo")
        clear, accept = CommandButton(desk, "clear"), CommandButton(desk, "accept")
        self._parts: list[Any] = [
            PolarityButtons(desk),
            AlternativesStrip(desk),
            *(run, stop, undo, redo, clear, accept),
        ]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self._parts[0])
        layout.addWidget(row_of(self._live, run, stop))
        layout.addWidget(self._object)
        layout.addWidget(row_of(undo, redo))
        layout.addWidget(row_of(clear, accept))
        layout.addWidget(self._parts[1])

    def refresh(self) -> None:
        for part in self._parts:
            part.refresh()
        self._object.setText(object_text(self._desk.session))
        with QSignalBlocker(self._live):
            self._live.setChecked(self._desk.controller.is_live)
