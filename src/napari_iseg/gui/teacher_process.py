"""The process that teaches, as Qt runs it."""

from __future__ import annotations

import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess

from napari_iseg.gui.teaching import Ended, Hear, Process

NOT_STARTED = -1  # instead of an exit code


class TeacherProcess(QObject):
    """Starts processes that teach; they end with their parent."""

    def __call__(self, folder: Path, hear: Hear, ended: Ended) -> Process:
        """Start to teach what the folder holds."""
        return _Running(self, ["-m", "napari_iseg.teaching", str(folder)], hear, ended)


class _Running(QObject):
    def __init__(
        self, parent: QObject, arguments: list[str], hear: Hear, ended: Ended
    ) -> None:
        super().__init__(parent)
        self._hear, self._ended = hear, ended
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._hear_problem)
        self._process.start(sys.executable, arguments)

    def kill(self) -> None:
        process = self._process
        process.readyReadStandardOutput.disconnect(self._read)
        process.finished.disconnect(self._finish)
        process.errorOccurred.disconnect(self._hear_problem)
        process.finished.connect(self.deleteLater)
        process.kill()

    def _read(self) -> None:
        while self._process.canReadLine():
            self._hear(bytes(self._process.readLine().data()).decode("utf-8"))

    def _finish(self, code: int, *_: object) -> None:
        self._read()
        errors = bytes(self._process.readAllStandardError().data())
        self._ended(code, errors.decode("utf-8", "replace"))

    def _hear_problem(self, problem: QProcess.ProcessError) -> None:
        if problem == QProcess.ProcessError.FailedToStart:
            self._ended(NOT_STARTED, self._process.errorString())
