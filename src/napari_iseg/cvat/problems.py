"""What is wrong with a request, and the status code that says so."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

_SHORT = Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 40


class RequestError(ValueError):
    """A request that cannot be answered; the message is for the function's log.

    CVAT shows its user the standard reason of the status alone.
    """

    status = 400


class MalformedRequestError(RequestError):
    """Not what CVAT sends: no JSON object, no image, points that are no numbers."""


class TooLargeRequestError(RequestError):
    """An image with more pixels than this function is allowed to decode."""

    status = 413


def shown(value: Any) -> str:
    """``value`` in a message: short, however long or deep it is."""
    return _SHORT.repr(value)
