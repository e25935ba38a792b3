"""Who gets a pixel that two objects claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.session import Overlap

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

TITLES = (
    ("earlier objects keep it", Overlap.KEEP),
    ("the new object overwrites", Overlap.OVERWRITE),
)


class OverlapChooser(ChoiceBox):
    """Holds for what was painted by hand, too."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(
            desk.choose_overlap, "Who gets a pixel that two objects, or you, claim"
        )
        self._desk = desk

    def refresh(self) -> None:
        self.offer(TITLES, self._desk.overlap)
