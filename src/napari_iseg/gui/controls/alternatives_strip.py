"""The method's hypotheses as small pictures to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from napari_iseg.arrays import Box, bounding_box
from napari_iseg.gui.commands import alternative
from napari_iseg.gui.own_layers import YELLOW
from napari_iseg.segmenter import Patch

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

KEYS = ("8", "9", "0")
SHOWN = 6  # Latent Diversity has so many; beyond the keys by the mouse alone
SIDE = 40  # pixels of the screen
LOOK = f"""
QToolButton {{ border: 2px solid transparent; border-radius: 3px; }}
QToolButton:checked {{ border-color: {YELLOW}; }}
"""


class AlternativesStrip(QWidget):
    """Three buttons, six if needed: shape, key and score of each hypothesis."""

    def __init__(self, desk: WorkDesk) -> None:
        super().__init__()
        self._desk = desk
        self._drawn: list[tuple[Patch, float]] = []
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        self._buttons = [self._button(index) for index in range(SHOWN)]
        for index, button in enumerate(self._buttons):
            layout.addWidget(button, *divmod(index, len(KEYS)))

    def refresh(self) -> None:
        session = self._desk.session
        found = [] if session is None else session.alternatives[:SHOWN]
        is_new = [p for p, _ in found] != [p for p, _ in self._drawn]
        for index, button in enumerate(self._buttons):
            there = index < len(found)
            button.setEnabled(there)
            button.setVisible(index < len(KEYS) or len(found) > len(KEYS))
            if is_new:
                patch, score = found[index] if there else (None, 0.0)
                button.setIcon(QIcon() if patch is None else _picture(patch))
                percent = [f"{score:.0%}"] if there else []
                button.setText(" · ".join([*KEYS[index : index + 1], *percent]))
            chosen = session is not None and index == min(
                session.hypothesis, len(found) - 1
            )
            button.setChecked(there and chosen)
        self._drawn = list(found)

    def _button(self, index: int) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setStyleSheet(LOOK)
        button.setToolTip(alternative(index).tooltip)
        button.setText("".join(KEYS[index : index + 1]))
        button.setIconSize(QSize(SIDE, SIDE))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setMinimumHeight(SIDE + 24)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._choose(index))
        return button

    def _choose(self, index: int) -> None:
        alternative(index).run(self._desk)
        self.refresh()


def _picture(patch: Patch) -> QIcon:
    """The mask, cropped and in a square; an icon needs no more pixels than it has."""
    mask = patch.mask()
    box = bounding_box(mask) or Box(0, 0, 1, 1)
    mask = mask[box.slices]
    step = max(1, int(np.ceil(max(mask.shape) / (2 * SIDE))))
    small = np.ascontiguousarray(mask[::step, ::step].astype(np.uint8) * 200)
    height, width = small.shape
    image = QImage(small.data, width, height, width, QImage.Format.Format_Grayscale8)
    square = QPixmap.fromImage(image.copy()).scaled(
        SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio
    )
    return QIcon(square)
