"""Which intensities a method sees as black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.gui.intensity_choice import IntensityRule

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class IntensitiesChooser(ChoiceBox):
    """Percentiles, the layer's contrast limits, the range of the dtype, or nothing."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(
            desk.choose_intensities,
            "Which intensities a method sees as black and white",
        )
        self._desk = desk

    def refresh(self) -> None:
        self.offer([(rule.value, rule) for rule in IntensityRule], self._desk.rule)
