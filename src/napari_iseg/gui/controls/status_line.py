"""What the loop is doing, below everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_iseg.gui.controls.method_chooser import method_title
from napari_iseg.gui.status import status_text

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class StatusLine(QLabel):
    """Wraps instead of hiding its end: a remark may be a long sentence."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self.setWordWrap(True)
        self.setMinimumHeight(34)

    def refresh(self) -> None:
        controller = self._desk.controller
        text = status_text(controller, method_title(controller.method.name))
        self.setText(self._desk.problem or text)
