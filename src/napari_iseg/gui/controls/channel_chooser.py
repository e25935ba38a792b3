"""Which channels of the image a method sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from napari_iseg.gui.controls.choice_box import ChoiceBox
from napari_iseg.gui.planes import ChannelChoice, channel_count, layer_shape

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk


class ChannelChooser(QWidget):
    """The axis that holds channels, and their numbers ("all", or "0, 2")."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._axis = ChoiceBox(
            self._axis_chosen, "The axis of the layer that holds channels, if one does"
        )
        self._numbers = QLineEdit()
        self._numbers.setPlaceholderText("all")
        self._numbers.setToolTip('The channels a method sees: "all", or "0, 2"')
        self._numbers.editingFinished.connect(self._numbers_chosen)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._axis, 2)
        layout.addWidget(self._numbers, 1)

    def refresh(self) -> None:
        image, choice = self._desk.layers.image, self._desk.channels
        axes: list[tuple[str, int | None]] = [("no channel axis", None)]
        if image is not None and image.rgb:
            axes = [("red, green, blue", None)]
        elif image is not None:
            shape = layer_shape(image)
            axes += [
                (f"axis {axis} ({shape[axis]} channels)", axis)
                for axis in range(len(shape) - 2)
            ]
        self._axis.offer(axes, choice.axis)
        count = 1 if image is None else channel_count(image, choice.axis)
        self._numbers.setEnabled(count > 1)
        if not self._numbers.hasFocus():
            self._numbers.setText(channels_text(choice.channels))

    def _axis_chosen(self, axis: int | None) -> None:
        image = self._desk.layers.image
        few = image is None or channel_count(image, axis) <= 3
        self._choose(ChannelChoice(axis, None if few else (0, 1, 2)))

    def _numbers_chosen(self) -> None:
        try:
            channels = parsed_channels(self._numbers.text())
        except ValueError as problem:
            self._desk.complain(problem)
            return
        self._choose(ChannelChoice(self._desk.channels.axis, channels))

    def _choose(self, choice: ChannelChoice) -> None:
        if choice != self._desk.channels:
            self._desk.choose_channels(choice)


def channels_text(channels: tuple[int, ...] | None) -> str:
    """What ``parsed_channels`` understands."""
    return "all" if channels is None else ", ".join(str(one) for one in channels)


def parsed_channels(text: str) -> tuple[int, ...] | None:
    """The channels somebody typed; None is all.

    Raises
    ------
    ValueError
        If it is neither "all" nor whole numbers with commas.
    """
    if text.strip().lower() in ("", "all"):
        return None
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError as problem:
        raise ValueError(
            f'channels are "all" or numbers like "0, 2", not {text!r}'
        ) from problem
