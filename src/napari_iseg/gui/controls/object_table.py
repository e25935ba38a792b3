"""The accepted objects, to reopen, delete or merge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_iseg.gui.controls.command_button import CommandButton
from napari_iseg.gui.controls.row import row_of
from napari_iseg.session import Session

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk
    from napari_iseg.segmented_objects import SegmentedObject

COLUMNS = ("label", "clicks", "area / px")


class ObjectTable(QWidget):
    """One row for each object of the shown plane; double-click reopens."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: list[SegmentedObject] = []
        self._table = self._new_table()
        self._reopen = _button("Reopen", "Correct it with further clicks")
        self._delete = _button("Delete", "Give up the chosen objects")
        self._merge = _button("Merge", "Make one object of the chosen ones")
        self._reopen.clicked.connect(self._reopen_chosen)
        self._delete.clicked.connect(self._delete_chosen)
        self._merge.clicked.connect(self._merge_chosen)
        self._steps = [CommandButton(desk, "previous"), CommandButton(desk, "next")]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self._table)
        layout.addWidget(row_of(self._reopen, self._delete, self._merge))
        layout.addWidget(row_of(*self._steps))

    def refresh(self) -> None:
        session = self._desk.session
        objects = [] if session is None else list(session.objects.values())
        if objects != self._shown:
            self._shown = objects
            self._fill(objects)
        for step in self._steps:
            step.refresh()
        self._enable()

    @property
    def chosen(self) -> list[int]:
        """Labels of the selected rows, from the top."""
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self._shown[row].label for row in rows]

    def select(self, labels: list[int]) -> None:
        """Choose rows by label."""
        self._table.clearSelection()
        flag = QItemSelectionModel.SelectionFlag
        for row, one in enumerate(self._shown):
            if one.label in labels:
                index = self._table.model().index(row, 0)
                self._table.selectionModel().select(index, flag.Select | flag.Rows)

    def _fill(self, objects: list[SegmentedObject]) -> None:
        self._table.setRowCount(len(objects))
        for row, one in enumerate(objects):
            clicks = str(len(one.clicks)) if len(one.clicks) else one.method
            for column, text in enumerate((str(one.label), clicks, str(one.area))):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self._table.setItem(row, column, item)

    def _enable(self) -> None:
        chosen = len(self.chosen)
        self._reopen.setEnabled(chosen == 1)
        self._delete.setEnabled(chosen >= 1)
        self._merge.setEnabled(chosen >= 2)

    def _reopen_chosen(self) -> None:
        if len(self.chosen) == 1:
            self._desk.reopen(self.chosen[0])

    def _delete_chosen(self) -> None:
        for label in self.chosen:
            self._desk.controller.do(partial(Session.delete, label=label))

    def _merge_chosen(self) -> None:
        labels = self.chosen
        self._desk.controller.do(lambda s: s.merge(labels))

    def _new_table(self) -> QTableWidget:
        table = QTableWidget(0, len(COLUMNS))
        table.setHorizontalHeaderLabels(COLUMNS)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setFixedHeight(150)
        table.itemSelectionChanged.connect(self._enable)
        table.itemDoubleClicked.connect(lambda _: self._reopen_chosen())
        return table


def _button(title: str, tooltip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
