"""Widgets side by side."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QWidget


def row_of(*widgets: QWidget) -> QWidget:
    """The widgets from left to right, sharing the width."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(5)
    for widget in widgets:
        layout.addWidget(widget)
    return row
