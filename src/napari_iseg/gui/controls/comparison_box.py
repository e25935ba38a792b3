"""Which method needs fewest clicks on what the user accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_iseg import ENTRIES
from napari_iseg.gui.comparing import Comparing
from napari_iseg.gui.controls.method_chooser import method_title
from napari_iseg.gui.controls.row import row_of
from napari_iseg.own_data import (
    EARLY,
    TARGET,
    Standing,
    of_the_user,
    standings,
    verdict,
)

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

COLUMNS = {
    "method": "Fewest clicks first",
    f"{EARLY:.0%}": f"Mean number of clicks to an IoU of {EARLY:.0%}",
    f"{TARGET:.0%}": f"Mean number of clicks to an IoU of {TARGET:.0%}",
    "objects": "Accepted objects that every method was measured on",
}
BY_HAND = ("fcn-brs", "dhsnet-brs")  # whoever wants them ticks them
ROW = 24  # pixels of the screen
QUESTION = (
    "A robot clicks on every object that you accepted in this image, with each "
    f"ticked method, and counts its clicks to an IoU of {EARLY:.0%} and {TARGET:.0%} "
    "with your masks. You can go on clicking meanwhile."
)


class ComparisonBox(QWidget):
    """Methods to tick, Compare and Cancel, the table and what follows from it."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: list[Standing] = []
        self._news: object = None
        self._ticks = {name: _tick(name) for name in ENTRIES}
        self._compare = _button("Compare", "Count a robot's clicks on your objects")
        self._cancel = _button("Cancel", "Stop; what was found until now stays")
        self._compare.clicked.connect(lambda: desk.compare(self.ticked))
        self._cancel.clicked.connect(desk.comparing.cancel)
        self._progress = QProgressBar()
        self._table = _table()
        self._said = Paragraph()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(Paragraph(QUESTION))
        layout.addWidget(_in_two_columns(list(self._ticks.values())))
        layout.addWidget(row_of(self._compare, self._cancel))
        for shown_later in (self._progress, self._table, self._said):
            layout.addWidget(shown_later)
            shown_later.hide()

    @property
    def ticked(self) -> list[str]:
        """Names of the chosen methods, in the order of the catalogue."""
        return [name for name, tick in self._ticks.items() if tick.isChecked()]

    def tick(self, names: Sequence[str]) -> None:
        """Choose these methods and no other."""
        for name, tick in self._ticks.items():
            tick.setChecked(name in names)

    @property
    def text(self) -> str:
        """What is said below the table."""
        return str(self._said.text())

    def rows(self) -> list[list[str]]:
        """What the table shows."""
        return [_cells(one) for one in self._shown]

    def refresh(self) -> None:
        comparing = self._desk.comparing
        is_running = comparing.is_running
        self._compare.setEnabled(self._desk.layers.image is not None and not is_running)
        self._cancel.setEnabled(is_running)
        self._progress.setVisible(is_running)
        if is_running:
            self._show_progress(comparing)
        self._show_result(comparing)

    def _show_result(self, comparing: Comparing) -> None:
        """Only if there is a new one: controls are refreshed at every click."""
        news = (comparing.is_running, len(comparing.curves), comparing.step)
        if news == self._news:
            return
        self._news = news
        ranked = _titled(standings(comparing.curves))
        if ranked != self._shown:
            self._shown = ranked
            self._fill(ranked)
        text = result_text(comparing, ranked)
        if text != self._said.text():
            self._said.say(text)

    def _show_progress(self, comparing: Comparing) -> None:
        step = comparing.step
        self._progress.setRange(0, step.total if step else 0)  # 0: nobody knows yet
        self._progress.setValue(step.done if step else 0)
        self._progress.setFormat(f"{method_title(step.method)} · %p %" if step else "")

    def _fill(self, ranked: Sequence[Standing]) -> None:
        table = self._table
        table.setVisible(bool(ranked))
        table.setRowCount(len(ranked))
        for row, one in enumerate(ranked):
            for column, text in enumerate(_cells(one)):
                item = QTableWidgetItem(text)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                if column == 2 and one.never:
                    item.setToolTip(f"{one.never} never reached it: counted as 20")
                table.setItem(row, column, item)
        rows = sum(table.rowHeight(row) for row in range(len(ranked)))
        table.setFixedHeight(table.horizontalHeader().sizeHint().height() + rows + 4)


def result_text(comparing: Comparing, ranked: Sequence[Standing]) -> str:
    """The verdict, whose masks these are, and what went wrong; "" while it runs."""
    if comparing.is_running or comparing.step is None:
        return ""
    objects = [replace(o, method=method_title(o.method)) for o in comparing.objects]
    cancelled = "Cancelled; this is what was found. " if comparing.was_cancelled else ""
    paragraphs = [
        cancelled + verdict(ranked),
        " ".join(of_the_user(objects)),
        *(
            f"{method_title(one.method)} is left out: {one.reason}."
            for one in comparing.failures
        ),
    ]
    return "\n".join(one for one in paragraphs if one)


def _titled(ranked: Sequence[Standing]) -> list[Standing]:
    return [replace(one, method=method_title(one.method)) for one in ranked]


def _cells(one: Standing) -> list[str]:
    early, late = f"{one.mean_early:.1f}", f"{one.mean_clicks:.1f}"
    return [one.method, early, late, str(len(one.clicks))]


def _tick(name: str) -> QCheckBox:
    tick = QCheckBox(ENTRIES[name].title)
    tick.setToolTip(ENTRIES[name].summary)
    tick.setChecked(name not in BY_HAND)
    tick.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return tick


def _in_two_columns(widgets: Sequence[QWidget]) -> QWidget:
    body = QWidget()
    grid = QGridLayout(body)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(3)
    height = (len(widgets) + 1) // 2
    for at, widget in enumerate(widgets):
        grid.addWidget(widget, at % height, at // height)
    return body


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(list(COLUMNS))
    for column, tooltip in enumerate(COLUMNS.values()):
        header = table.horizontalHeaderItem(column)
        if header is not None:
            header.setToolTip(tooltip)
    mode = QHeaderView.ResizeMode
    table.horizontalHeader().setSectionResizeMode(mode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(0, mode.Stretch)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return table


class Paragraph(QLabel):
    """Wrapped text that is given all the height it needs, also in a folding section."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)

    def say(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))
        self._take_room()

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt calls it so
        super().resizeEvent(event)
        self._take_room()

    def _take_room(self) -> None:
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


def _button(title: str, tooltip: str) -> QPushButton:
    button = QPushButton(title)
    button.setToolTip(tooltip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
