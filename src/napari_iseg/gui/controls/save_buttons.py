"""Labels and clicks to files, and clicks back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_iseg.gui.controls.row import row_of
from napari_iseg.gui.saving import open_clicks, save_clicks, save_labels

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

LOGS = "Click logs (*.iseg.json)"


class SaveButtons(QWidget):
    """Napari's own Save menu works for the layers as well."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._labels = _button("Save labels…", "Write the objects layer as TIFF")
        self._clicks = _button(
            "Save clicks…", "Write every click; the file can be replayed and reopened"
        )
        self._open = _button(
            "Open clicks…", "Go on where saved clicks ended, on the shown plane"
        )
        self._labels.clicked.connect(lambda: self._ask_to_save(self.save_labels))
        self._clicks.clicked.connect(lambda: self._ask_to_save(self.save_clicks))
        self._open.clicked.connect(self._ask_to_open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(row_of(self._labels, self._clicks))
        layout.addWidget(self._open)

    def refresh(self) -> None:
        for button in (self._labels, self._clicks, self._open):
            button.setEnabled(self._desk.layers.image is not None)

    def save_labels(self, path: Path) -> None:
        self._try(lambda: save_labels(path, self._desk.layers.objects))

    def save_clicks(self, path: Path) -> None:
        work, image = self._desk.work, self._desk.layers.image
        if work is not None and image is not None:
            self._try(lambda: save_clicks(path, work, image.name))

    def open_clicks(self, path: Path) -> None:
        self._try(lambda: open_clicks(path, self._desk))

    def _ask_to_save(self, save: Callable[[Path], None]) -> None:
        is_labels = save == self.save_labels
        kind = "TIFF (*.tif *.tiff)" if is_labels else LOGS
        name, _ = QFileDialog.getSaveFileName(self, "Save", "", kind)
        if name:
            save(Path(name))

    def _ask_to_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open clicks", "", LOGS)
        if name:
            self.open_clicks(Path(name))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as problem:  # noqa: BLE001 - the disk may be full, the folder read-only
            self._desk.complain(problem)


def _button(title: str, tooltip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
