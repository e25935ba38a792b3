"""A network of the user's own, from a file to the list of methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog, QPushButton

from napari_iseg.gui.own_models import ANSWERS, OwnModel

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

FILES = "Models (*.pt *.pt2 *.pth *.ts *.torchscript);;All files (*)"
QUESTION = (
    "What does the network answer?\n\nSuch a file is a program: load only those from "
    "people whose programs you would run."
)
TOOLTIP = (
    "A TorchScript or torch.export file of any network that segments images: it "
    "becomes a method that obeys clicks, and is one again when napari is next opened"
)


class LoadButton(QPushButton):
    """Asks for a file and what the network in it answers."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__("Load my model…")
        self._desk = desk
        self.setToolTip(TOOLTIP)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(self._ask)

    def refresh(self) -> None:
        """Always possible."""

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load my model", "", FILES)
        if not path:
            return
        answer, is_sure = QInputDialog.getItem(
            self, "Load my model", QUESTION, list(ANSWERS), editable=False
        )
        if is_sure:
            self._desk.load_own(OwnModel(Path(path), answer))
