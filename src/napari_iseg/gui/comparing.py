"""A comparison of methods beside the clicking: one answer at a time. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_iseg.click_curve import ClickCurve
from napari_iseg.gui.controller import Runner
from napari_iseg.own_data import Failed, OwnPlane, Step, comparison
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import Segmenter


class Comparing:
    """The comparison in progress, or the last one.

    Every answer is a job of its own, and the next one is handed to the runner only
    when it is there: what the user clicks meanwhile is answered in between. It holds
    what it needs, so layers may come and go.

    Parameters
    ----------
    changed
        Called after every answer.
    """

    def __init__(
        self,
        runner: Runner,
        changed: Callable[[], None],
        complain: Callable[[Exception], None],
    ) -> None:
        self._runner = runner
        self._changed = changed
        self._complain = complain
        self._steps: object | None = None  # None: nothing is running
        self._take: Callable[[], Step | None] = lambda: None
        self.step: Step | None = None
        self.curves: list[ClickCurve] = []
        self.failures: list[Failed] = []
        self.objects: tuple[SegmentedObject, ...] = ()
        self.was_cancelled = False

    @property
    def is_running(self) -> bool:
        return self._steps is not None

    def start(
        self,
        planes: Sequence[OwnPlane],
        methods: Sequence[str],
        build: Callable[[str], Segmenter],
    ) -> None:
        """Begin; a comparison that is running is given up.

        Raises
        ------
        ValueError
            If there is no accepted object or no method; the last result is kept.
        """
        steps = comparison(planes, methods, build)
        self._steps, self.step = steps, None
        self._take = lambda: next(steps, None)
        self.curves, self.failures = [], []
        self.objects = tuple(one for plane in planes for one in plane.objects)
        self.was_cancelled = False
        self._go_on()

    def cancel(self) -> None:
        """Stop after the answer that is being found; what was found is kept."""
        if self.is_running:
            self._steps, self.was_cancelled = None, True
            self._changed()

    def _go_on(self) -> None:
        steps = self._steps
        self._runner.start(
            self._take,
            lambda step: self._hear(steps, step),
            lambda problem: self._hear_failure(steps, problem),
        )
        self._changed()

    def _hear(self, steps: object, step: Step | None) -> None:
        if steps is not self._steps:  # cancelled, or another one was begun
            return
        if step is None:
            self._steps = None
            self._changed()
            return
        self.step = step
        if isinstance(step.outcome, ClickCurve):
            self.curves.append(step.outcome)
        elif isinstance(step.outcome, Failed):
            self._leave_out(step.outcome)
        self._go_on()

    def _leave_out(self, failed: Failed) -> None:
        self.failures.append(failed)
        self.curves = [one for one in self.curves if one.method != failed.method]

    def _hear_failure(self, steps: object, problem: Exception) -> None:
        if steps is self._steps:
            self._steps = None
            self._complain(problem)
            self._changed()
