"""Which image layer is segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg.gui.controls.choice_box import ChoiceBox

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class ImageChooser(ChoiceBox):
    """The viewer's image layers by name."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(desk.open_image, "The image layer to click on")
        self._desk = desk

    def refresh(self) -> None:
        layers = self._desk.layers
        self.offer([(one.name, one) for one in layers.images], layers.image)
