"""One event in, one response out: nothing that a handler does may escape."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from napari_iseg.cvat.problems import RequestError
from napari_iseg.cvat.responses import written

Remarks: TypeAlias = dict[str, Any]  # what the log line says beside the duration
DOUBTS = frozenset({"lost", "unsure"})  # remarks that make an answer a warning
Answering: TypeAlias = Callable[[Any, Remarks], Any]  # body, remarks -> JSON value


def served(context: Any, event: Any, answer: Answering) -> Any:
    """The response of nuclio to ``event``; never raises.

    Parameters
    ----------
    context, event
        nuclio's.
    answer
        Called with the event's body and a dictionary that it may fill for the log.
        What it returns is sent as JSON. ``RequestError`` becomes its status, every
        other exception 500; the log names the request in both cases.
    """
    start = time.perf_counter()
    remarks: Remarks = {}
    try:
        body, status = written(answer(event.body, remarks)), 200
    except RequestError as problem:
        body, status = written({"message": str(problem)}), problem.status
        remarks["refused"] = str(problem)
    except Exception as problem:  # noqa: BLE001 - the next request must be served
        body, status = written({"message": type(problem).__name__}), 500
        remarks["problem"] = "".join(traceback.format_exception(problem))
    remarks["milliseconds"] = round(1000 * (time.perf_counter() - start), 1)
    _log(context.logger, event, status, remarks)
    return context.Response(
        headers={}, body=body, content_type="application/json", status_code=status
    )


def _log(logger: Any, event: Any, status: int, remarks: Mapping[str, Any]) -> None:
    say = {200: logger.info_with, 500: logger.error_with}.get(status, logger.warn_with)
    if not DOUBTS.isdisjoint(remarks):
        say = logger.warn_with
    say(f"answered {status}", request=str(getattr(event, "id", None)), **remarks)
