"""Where methods run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg.gui.controls.choice_box import ChoiceBox

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

DEVICES = (
    ("automatic", "auto"),
    ("processor (cpu)", "cpu"),
    ("NVIDIA graphics (cuda)", "cuda"),
    ("Apple graphics (mps)", "mps"),
)


class DeviceChooser(ChoiceBox):
    """Automatic takes the fastest there is; a wish that cannot be met is refused."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(desk.choose_device, "Where methods run")
        self._desk = desk

    def refresh(self) -> None:
        self.offer(DEVICES, self._desk.controller.method.device)
