"""The dock widget: lays out the controls around one desk."""

from __future__ import annotations

from typing import Any

from napari.utils import notifications
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

import napari_iseg
from napari_iseg.catalog import load_automatic
from napari_iseg.gui.commands import COMMANDS, shown_key
from napari_iseg.gui.controls.channel_chooser import ChannelChooser
from napari_iseg.gui.controls.click_box import ClickBox
from napari_iseg.gui.controls.comparison_box import ComparisonBox
from napari_iseg.gui.controls.device_chooser import DeviceChooser
from napari_iseg.gui.controls.finding_box import FindingBox
from napari_iseg.gui.controls.image_chooser import ImageChooser
from napari_iseg.gui.controls.intensities_chooser import IntensitiesChooser
from napari_iseg.gui.controls.load_button import LoadButton
from napari_iseg.gui.controls.method_chooser import MethodChooser
from napari_iseg.gui.controls.object_table import ObjectTable
from napari_iseg.gui.controls.objects_chooser import ObjectsChooser
from napari_iseg.gui.controls.outline_chooser import OutlineChooser
from napari_iseg.gui.controls.overlap_chooser import OverlapChooser
from napari_iseg.gui.controls.save_buttons import SaveButtons
from napari_iseg.gui.controls.section import Section, form_of
from napari_iseg.gui.controls.status_line import StatusLine
from napari_iseg.gui.controls.teach_box import TeachBox
from napari_iseg.gui.desk import WorkDesk
from napari_iseg.gui.engine import Load, LoadAutomatic, engine_for
from napari_iseg.gui.preferences import Preferences, read_preferences
from napari_iseg.gui.runner import ThreadRunner
from napari_iseg.gui.teacher_process import TeacherProcess
from napari_iseg.gui.teaching import Teaching

WIDTH = 340  # pixels of the screen


class _Notifications:
    """Napari's own; looked up when used, so that nothing is shown in its place."""

    def info(self, message: str) -> None:
        notifications.show_info(message)

    def warning(self, message: str) -> None:
        notifications.show_warning(message)

    def error(self, message: str) -> None:
        notifications.show_error(message)


class SegmentWidget(QWidget):
    """Click a cell, get its mask.

    Parameters
    ----------
    napari_viewer
        Napari gives it by this name.
    load
        Makes a method of its name; ``napari_iseg.load_segmenter`` if None.
    preferences
        What the controls start with; the user's if None.
    load_automatic
        Makes a method that needs no click of its name.
    """

    def __init__(
        self,
        napari_viewer: Any,
        load: Load | None = None,
        preferences: Preferences | None = None,
        load_automatic: LoadAutomatic = load_automatic,
    ) -> None:
        super().__init__()
        self._was_docked = False
        self._controls: list[Any] = []
        self._runner = ThreadRunner(self)
        self.desk = WorkDesk(
            napari_viewer,
            self._runner,
            engine_for(load or napari_iseg.load_segmenter, load_automatic),
            tell=_Notifications(),
            later=self._later,
            redraw=self._refresh,
            preferences=preferences or read_preferences(),
        )
        self.teaching = Teaching(
            self._runner, TeacherProcess(self), self._refresh, self.desk.complain
        )
        self._lay_out()
        self.desk.controller.warm_up()
        self.desk.open_image(self.desk.layers.active_image)
        self._refresh()

    def changeEvent(self, event: Any) -> None:  # noqa: N802 - Qt calls it so
        """Napari closes a dock by taking its widget out."""
        if event.type() == QEvent.Type.ParentChange:
            if self._was_docked and self.parent() is None:
                self._shut_down()
            self._was_docked = self.parent() is not None
        super().changeEvent(event)

    def closeEvent(self, event: Any) -> None:  # noqa: N802 - Qt calls it so
        """The window is closed."""
        self._shut_down()
        super().closeEvent(event)

    def _shut_down(self) -> None:
        self._runner.close()
        self.teaching.shut_down()
        self.desk.shut_down()

    def _later(self, action: Any) -> None:
        timer = QTimer(self)  # dies with the dock: nothing is called afterwards
        timer.setSingleShot(True)
        timer.timeout.connect(action)
        timer.timeout.connect(timer.deleteLater)
        timer.start(0)

    def _refresh(self) -> None:
        for control in self._controls:
            control.refresh()
        session = self.desk.session
        count = 0 if session is None else len(session.objects)
        if self._controls:
            self._objects_section.rename(f"Objects ({count})")

    def _lay_out(self) -> None:
        desk = self.desk
        choosers = {
            "Image": ImageChooser(desk),
            "Channels": ChannelChooser(desk),
            "Method": MethodChooser(desk),
            "": LoadButton(desk),
            "Outline": OutlineChooser(desk),
            "Device": DeviceChooser(desk),
            "Objects": ObjectsChooser(desk),
        }
        rules = {
            "Black, white": IntensitiesChooser(desk),
            "Overlap": OverlapChooser(desk),
        }
        box, table, files = ClickBox(desk), ObjectTable(desk), SaveButtons(desk)
        comparison, status = ComparisonBox(desk), StatusLine(desk)
        teach, finding = TeachBox(desk, self.teaching), FindingBox(desk)
        self._controls = [
            *choosers.values(), *rules.values(), box, table, files, comparison, teach,
            finding, status
        ]  # fmt: skip

        self._objects_section = Section("Objects (0)", table, is_open=False)
        sections = (
            Section("Image and method", form_of(choosers), is_open=True),
            Section("Whole image", finding, is_open=True),
            Section("Click", box, is_open=True),
            self._objects_section,
            Section("Save", files, is_open=False),
            Section("Which method suits my data?", comparison, is_open=False),
            Section("Teach it my cells", teach, is_open=False),
            Section("Intensities and overlap", form_of(rules), is_open=False),
            Section("Keys", _key_card(), is_open=False),
        )
        column = QWidget()
        rows = QVBoxLayout(column)
        rows.setContentsMargins(4, 4, 4, 4)
        rows.setSpacing(6)
        for section in sections:
            rows.addWidget(section)
        rows.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(column)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        outer.addWidget(status)
        self.setMinimumWidth(WIDTH)


def _key_card() -> QLabel:
    rows = "".join(
        f"<tr><td><b>{' '.join(shown_key(key) for key in command.keys)}</b>"
        f"&nbsp;&nbsp;</td><td>{command.title}</td></tr>"
        for command in COMMANDS
        if command.keys
    )
    card = QLabel(f"<table>{rows}</table>right click: the other polarity")
    card.setWordWrap(True)
    return card
