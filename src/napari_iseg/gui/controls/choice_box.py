"""A combo box over values, of which the user sees titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

LINE = object()  # the value of a line between groups, which nobody can choose


class ChoiceBox(QComboBox):
    """Tells the chosen value, and only when the user chose it."""

    def __init__(
        self,
        chosen: Callable[[Any], None],
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tell = chosen
        self._values: list[Any] = []
        self.setToolTip(tooltip)
        self.setFocusPolicy(self.focusPolicy().ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(
            self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(8)
        self.activated.connect(self._activated)

    def offer(self, choices: Sequence[tuple[str, Any] | None], current: Any) -> None:
        """Show these titles; ``current`` is the value that is chosen.

        None is a line between two groups.
        """
        titles = ["" if one is None else one[0] for one in choices]
        values = [LINE if one is None else one[1] for one in choices]
        with QSignalBlocker(self):
            if titles != [self.itemText(i) for i in range(self.count())]:
                self.clear()
                for title, value in zip(titles, values, strict=True):
                    if value is LINE:
                        self.insertSeparator(self.count())
                    else:
                        self.addItem(title)
            self._values = values
            self.setCurrentIndex(values.index(current) if current in values else -1)

    def _activated(self, index: int) -> None:
        self._tell(self._values[index])
