"""The one thread in which networks run, and the way back to the GUI thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_iseg.waiting_threads import let_others_work


def _use_threads_well() -> None:
    """Torch's thread count holds for one thread: set it in the one that computes."""
    let_others_work(os.environ)  # the GUI thread above all
    import torch

    torch.set_num_threads(max(1, min(os.cpu_count() or 1, 8)))


@cache
def inference_thread() -> ThreadPoolExecutor:
    """One thread for the life of the process; joined by Python at exit.

    A new thread for each click would start a new team of OpenMP threads each time,
    which makes small tensors many times slower.
    """
    return ThreadPoolExecutor(
        1, thread_name_prefix="napari-iseg", initializer=_use_threads_well
    )


class ThreadRunner(QObject):
    """Runs jobs in the inference thread, hands each result back on the GUI thread."""

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_closed = False
        # named connection type: the emitting thread has no Qt event loop
        self._finished.connect(self._hand_back, Qt.ConnectionType.QueuedConnection)

    def start(
        self,
        job: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run ``job`` elsewhere, then ``done`` or ``failed`` on the GUI thread."""
        inference_thread().submit(self._work, job, done, failed)

    def close(self) -> None:
        """Let the running job end unheard."""
        self._is_closed = True

    def _work(
        self,
        job: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        if self._is_closed:
            return
        try:
            answer, heard = job(), done
        except Exception as problem:  # noqa: BLE001 - any failure is the user's to see
            answer, heard = problem, failed
        if not self._is_closed:
            self._emit(heard, answer)

    def _emit(self, heard: Callable[[Any], None], answer: Any) -> None:
        try:
            self._finished.emit(heard, answer)
        except RuntimeError:  # the window was destroyed while the job ran
            self._is_closed = True

    def _hand_back(self, heard: Callable[[Any], None], answer: Any) -> None:
        if not self._is_closed:
            heard(answer)
