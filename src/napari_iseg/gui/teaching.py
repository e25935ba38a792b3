"""Teaching beside the clicking, in a process of its own. No Qt."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from napari_iseg.gui.controller import Runner
from napari_iseg.own_data import OwnPlane
from napari_iseg.taught import new_path
from napari_iseg.teaching.lesson import SMALLEST, check_enough
from napari_iseg.teaching.lesson_files import write_lesson
from napari_iseg.teaching.methods import check_teachable

FOLDER = "napari-iseg-lesson-"
Hear = Callable[[str], None]  # one line of the process's output
Ended = Callable[[int, str], None]  # its exit code, and the end of its error stream
Read = Callable[[], Sequence[OwnPlane]]


class Process(Protocol):
    """A process that was started."""

    def kill(self) -> None:
        """End it now; it is not heard of any more."""
        ...


Launch = Callable[[Path, Hear, Ended], Process]  # of a lesson's folder


class Teaching:
    """The course in progress, or the last one.

    Parameters
    ----------
    launch
        Starts ``python -m napari_iseg.teaching FOLDER``.
    changed
        Called whenever there is news.
    """

    def __init__(
        self,
        runner: Runner,
        launch: Launch,
        changed: Callable[[], None],
        complain: Callable[[Exception], None],
    ) -> None:
        self._runner = runner
        self._launch = launch
        self._changed = changed
        self._complain = complain
        self._course: _Course | None = None  # None: nothing is running
        self.news: dict[str, Any] = {}
        self.sentence = ""
        self.method: str | None = None  # that was taught last, if it was kept

    @property
    def is_running(self) -> bool:
        return self._course is not None

    def start(self, read: Read, method: str, settings: dict[str, Any]) -> None:
        """Begin; what is running already is given up.

        Parameters
        ----------
        read
            Gives the planes with their objects; called off the GUI thread.
        method
            Whose weights are the start.
        settings
            "name" of the new weights, "device", perhaps "steps".

        Raises
        ------
        ValueError
            If the method cannot be taught or the name cannot be used.
        """
        new_path(check_teachable(method), settings["name"])
        self._end()
        folder = Path(tempfile.mkdtemp(prefix=FOLDER))
        course = self._course = _Course(folder)
        self.news, self.sentence, self.method = {}, "", None
        self._runner.start(
            lambda: written(folder, read, {"method": method, **settings}),
            lambda _: self._go_on(course),
            lambda problem: self._fail(course, problem),
        )
        self._changed()

    def cancel(self) -> None:
        """Stop at once; nothing is left of the course."""
        if self.is_running:
            self._end()
            self.sentence = "Cancelled; nothing was kept."
            self._changed()

    def shut_down(self) -> None:
        """The dock is closed."""
        course = self._course
        self._end()
        if course is not None:
            course.remove()

    def _go_on(self, course: _Course) -> None:
        if course is not self._course:
            course.remove()
            return
        course.process = self._launch(
            course.folder,
            lambda line: self._hear(course, line),
            lambda code, errors: self._hear_end(course, code, errors),
        )

    def _hear(self, course: _Course, line: str) -> None:
        if course is not self._course:
            return
        news = read_news(line)
        if "problem" in news:
            self._fail(course, ValueError(news["problem"]))
            return
        if "sentence" in news:
            self._end()
            self.sentence, self.method = str(news["sentence"]), news["method"]
        self.news = news
        self._changed()

    def _hear_end(self, course: _Course, code: int, errors: str) -> None:
        if course is self._course:
            last = (errors.strip().splitlines() or ["it said nothing"])[-1]
            problem = f"the teaching ended early (exit code {code}: {last}); "
            advice = "memory may have run out: close other programs and try again"
            self._fail(course, ValueError(problem + advice))

    def _fail(self, course: _Course, problem: Exception) -> None:
        if course is not self._course:
            course.remove()
            return
        self._end()
        self._complain(problem)
        self._changed()

    def _end(self) -> None:
        course, self._course = self._course, None
        if course is not None and course.process is not None:
            course.process.kill()
            course.remove()


class _Course:
    """One course: its folder, and its process once there is one.

    The folder of a course that is given up while it is written is removed by who
    writes it, at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: Process | None = None

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def written(folder: Path, read: Read, settings: dict[str, Any]) -> None:
    """Write the lesson; ValueError if there are too few objects."""
    planes = read()
    check_enough(sum(one.area >= SMALLEST for plane in planes for one in plane.objects))
    write_lesson(folder, planes, settings)


def read_news(line: str) -> dict[str, Any]:
    """A line of news; {} if it is something else, as libraries print it."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
