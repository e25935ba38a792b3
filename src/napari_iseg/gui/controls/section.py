"""A titled part of the dock that can be folded away."""

from __future__ import annotations

from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget
from superqt import QCollapsible

UNLIMITED = 16_777_215  # Qt's QWIDGETSIZE_MAX
HEADER = """
QPushButton { text-align: left; border: none; background: transparent;
              font-weight: bold; padding: 3px; }
QPushButton:checked { background: transparent; }
"""


class Section(QCollapsible):
    """Rows below a title; open or folded at the start."""

    def __init__(self, title: str, *rows: QWidget, is_open: bool) -> None:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(8, 2, 4, 4)
        layout.setSpacing(5)
        for row in rows:
            layout.addWidget(row)
        # the icons of superqt are black on napari's dark theme: the title has its own
        super().__init__(title, expandedIcon=QIcon(), collapsedIcon=QIcon())
        self._title = title
        self.toggleButton().setStyleSheet(HEADER)
        self.toggleButton().setFocusPolicy(self.focusPolicy().NoFocus)
        self.setDuration(0)
        self.setContent(body)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.toggled.connect(self._show_title)
        if is_open:
            self.expand(animate=False)
        else:
            self.collapse(animate=False)
        self._show_title()

    def rename(self, title: str) -> None:
        """Show another title."""
        self._title = title
        self._show_title()

    def _show_title(self) -> None:
        if self.isExpanded():  # superqt keeps the height of the moment otherwise
            self.content().setMaximumHeight(UNLIMITED)
        self.setText(f"{'▾' if self.isExpanded() else '▸'} {self._title}")


def form_of(rows: dict[str, QWidget]) -> QWidget:
    """Labelled rows."""
    body = QWidget()
    form = QFormLayout(body)
    form.setContentsMargins(0, 0, 0, 0)
    form.setSpacing(5)
    form.setFieldGrowthPolicy(form.FieldGrowthPolicy.ExpandingFieldsGrow)
    for label, row in rows.items():
        form.addRow(label, row)
    return body
