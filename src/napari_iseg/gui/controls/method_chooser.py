"""Which method of the catalogue answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg import ENTRIES
from napari_iseg.gui.controls.choice_box import ChoiceBox

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class MethodChooser(ChoiceBox):
    """Titles of the catalogue; the tooltip tells what the chosen one is."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(desk.choose_method, "")
        self._desk = desk

    def refresh(self) -> None:
        name = self._desk.controller.method.name
        self.offer([(entry.title, entry.name) for entry in ENTRIES.values()], name)
        entry = ENTRIES.get(name)
        if entry is not None:
            self.setToolTip(". ".join(t for t in (entry.summary, entry.paper) if t))


def method_title(name: str) -> str:
    """What people call the method."""
    return ENTRIES[name].title if name in ENTRIES else name
