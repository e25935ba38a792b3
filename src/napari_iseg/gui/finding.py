"""Every object of a plane, found part by part beside the clicking. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from napari_iseg.found_objects import found_objects
from napari_iseg.gui.controller import Runner
from napari_iseg.gui.engine import Method, Sight
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import AutomaticSegmenter, Progress

News: TypeAlias = Progress | Sequence[SegmentedObject]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is looked for, where, and who gets the objects."""

    method: Method
    sight: Sight
    take: Callable[[Sequence[SegmentedObject]], str]  # says what became of them


class Finding:
    """The search in progress, or the last one.

    Every part of the image is a job of its own, and the next one is handed to the
    runner only when it is done: clicks are answered in between.

    Parameters
    ----------
    load
        A method by its name and device; called where it runs.
    changed
        Called after every part.
    """

    def __init__(
        self,
        runner: Runner,
        load: Callable[[Method], AutomaticSegmenter],
        changed: Callable[[], None],
        complain: Callable[[Exception], None],
    ) -> None:
        self._runner = runner
        self._load = load
        self._changed = changed
        self._complain = complain
        self._task: Task | None = None  # None: nothing is running
        self._news: Iterator[News] = iter(())
        self.progress: Progress | None = None
        self.sentence = ""

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self, task: Task) -> None:
        """Begin; a search that is running is given up."""
        self._task, self._news = task, _news(task, self._load)
        self.progress, self.sentence = None, ""
        self._go_on()

    def cancel(self) -> None:
        """Stop after the part that is being looked at; nothing was changed."""
        if self.is_running:
            self._end("Cancelled; nothing was changed.")

    def _go_on(self) -> None:
        task, news = self._task, self._news
        self._runner.start(
            lambda: next(news),
            lambda found: self._hear(task, found),
            lambda problem: self._hear_failure(task, problem),
        )
        self._changed()

    def _hear(self, task: Task | None, found: News) -> None:
        if task is None or task is not self._task:  # cancelled, or another one began
            return
        if isinstance(found, Progress):
            self.progress = found
            self._go_on()
            return
        try:
            sentence = task.take(found)
        except Exception as problem:  # noqa: BLE001 - the user is told which
            self._hear_failure(task, problem)
        else:
            self._end(sentence)

    def _hear_failure(self, task: Task | None, problem: Exception) -> None:
        if task is self._task:
            self._complain(problem)
            self._end("")

    def _end(self, sentence: str) -> None:
        self._task, self._news = None, iter(())
        self.sentence = sentence
        self._changed()


def _news(task: Task, load: Callable[[Method], AutomaticSegmenter]) -> Iterator[News]:
    """After each part how far it is, then the objects; runs where methods run."""
    progress = None
    image = task.sight.image()
    for progress in load(task.method).parts(image):  # type: ignore[arg-type]  # wider than an array, as in the engine
        yield Progress(progress.done, progress.total)
    labels = None if progress is None else progress.labels
    assert labels is not None  # the protocol says so
    yield found_objects(labels, task.method.name)
