"""Which method of the catalogue answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg import ENTRIES
from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.polished import is_polished, unpolished
from napari_iseg.taught import parts_of, taught_methods

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class MethodChooser(ChoiceBox):
    """Titles of the catalogue, then what was taught; the tooltip tells of the one."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(desk.choose_method, "")
        self._desk = desk

    def refresh(self) -> None:
        name = unpolished(self._desk.controller.method.name)
        names = [*ENTRIES, *taught_methods()]
        self.offer([(method_title(one), one) for one in names], name)
        entry = ENTRIES.get(parts_of(name)[0])
        if entry is not None:
            self.setToolTip(". ".join(t for t in (entry.summary, entry.paper) if t))


def method_title(name: str) -> str:
    """What people call the method."""
    base, own = parts_of(unpolished(name))
    if base not in ENTRIES:
        return name
    title = f"{ENTRIES[base].title} · {own}" if own else ENTRIES[base].title
    return f"{title}, polished" if is_polished(name) else title
