"""What a left click says: inside or outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_iseg.gui.controls.command_button import CommandButton
from napari_iseg.gui.own_layers import BLUE, VERMILLION

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class PolarityButtons(QWidget):
    """Two buttons of which one is down, in the colours of the clicks, and a swap."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._positive = CommandButton(desk, "positive")
        self._negative = CommandButton(desk, "negative")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for button, mark, color in (
            (self._positive, "●", BLUE),
            (self._negative, "✕", VERMILLION),
        ):
            button.setText(f"{mark} {button.text()}")
            button.setCheckable(True)
            button.setStyleSheet(
                f"QPushButton:checked {{ background-color: {color}; color: white; }}"
            )
            layout.addWidget(button, 3)
        layout.addWidget(CommandButton(desk, "swap"), 2)

    def refresh(self) -> None:
        is_positive = self._desk.layers.is_positive
        self._positive.setChecked(is_positive)
        self._negative.setChecked(not is_positive)
