"""A button for a command of the table."""

from __future__ import annotations

from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

from napari_iseg.gui.commands import BY_NAME, Desk


class CommandButton(QPushButton):
    """Shows title and key, tells the rest in its tooltip, is off when impossible."""

    def __init__(self, desk: Desk, name: str, parent: QWidget | None = None) -> None:
        self._command = BY_NAME[name]
        super().__init__(self._command.text, parent)
        self._desk = desk
        self.setToolTip(self._command.tooltip)
        # a button that takes the focus would swallow the keys of the canvas
        self.setFocusPolicy(self.focusPolicy().NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._run)

    def refresh(self) -> None:
        self.setEnabled(self._command.is_possible(self._desk))

    def _run(self) -> None:
        self._command.run(self._desk)
