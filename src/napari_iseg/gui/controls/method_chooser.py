"""Which method of the catalogue answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from napari_iseg import ENTRIES
from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.polished import is_polished, unpolished
from napari_iseg.taught import parts_of, taught_methods

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

OURS, PUBLISHED, CLASSICAL, TAUGHT = "ours", "published", "classical", "taught"


class MethodChooser(ChoiceBox):
    """Titles of the catalogue, then the user's own, with lines between the kinds.

    The tooltip tells of the one that is chosen.
    """

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(desk.choose_method, "")
        self._desk = desk

    def refresh(self) -> None:
        name = unpolished(self._desk.controller.method.name)
        own = self._desk.own_methods
        self.offer(list(grouped([*ENTRIES, *taught_methods(), *own])), name)
        entry = ENTRIES.get(parts_of(name)[0])
        if name in own:
            self.setToolTip(f"{own[name].path}: {own[name].answer}")
        elif entry is not None:
            self.setToolTip(". ".join(t for t in (entry.summary, entry.paper) if t))


def grouped(names: Iterable[str]) -> Iterator[tuple[str, str] | None]:
    """Title and name of each; None where another kind of method begins."""
    for at, (_, some) in enumerate(groupby(names, kind_of)):
        if at:
            yield None
        yield from ((method_title(one), one) for one in some)


def kind_of(name: str) -> str:
    """Of our own, of a paper, without a network, or taught by the user."""
    if name not in ENTRIES:
        return TAUGHT
    entry = ENTRIES[name]
    return CLASSICAL if entry.card is None else PUBLISHED if entry.paper else OURS


def method_title(name: str) -> str:
    """What people call the method."""
    base, own = parts_of(unpolished(name))
    if base not in ENTRIES:
        return name
    title = f"{ENTRIES[base].title} · {own}" if own else ENTRIES[base].title
    return f"{title}, polished" if is_polished(name) else title
