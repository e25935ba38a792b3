"""Which Labels layer the objects are written into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_iseg.gui.controls.choice_box import ChoiceBox

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class ObjectsChooser(ChoiceBox):
    """The Labels layers that fit on the image, or a new one."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__(
            self._chosen,
            "The Labels layer that accepted objects are written into. What you painted "
            "there stays, unless objects may overwrite",
        )
        self._desk = desk

    def refresh(self) -> None:
        layers = self._desk.layers
        fitting: list[tuple[str, Any]] = []
        if layers.image is not None:
            found = layers.label_layers(layers.image, self._desk.channels.axis)
            fitting = [*((one.name, one) for one in found), ("new layer", None)]
        self.offer(fitting, layers.objects)

    def _chosen(self, layer: Any) -> None:
        if layer is None or layer != self._desk.layers.objects:
            self._desk.choose_objects(layer)
