"""Whether outlines are polished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.polished import is_polished

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

OUTLINES = (("of the method", False), ("polished by graph cut", True))


class OutlineChooser(ChoiceBox):
    """The method's own outline, or one drawn to where the image has contrast."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(
            lambda polish: desk.choose_polish(polish=polish),
            "A graph cut after each answer draws the outline to where the image has "
            "contrast, and holds every click",
        )
        self._desk = desk

    def refresh(self) -> None:
        self.offer(OUTLINES, is_polished(self._desk.controller.method.name))
