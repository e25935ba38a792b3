"""What was predicted: the answers to remember, and the questions they belong to."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from napari_iseg.clicks import Clicks
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import Patch


@dataclass(frozen=True, slots=True)
class Request:
    """A question to a predictor; equal requests have equal answers.

    ``context`` stands for all that is not a click: image, method, prior, others.
    """

    clicks: Clicks
    context: int


class Answers:
    """The answers used last, within a limit of memory."""

    def __init__(self, bytes_kept: int = 64_000_000, number_kept: int = 256) -> None:
        self._bytes_kept = bytes_kept
        self._number_kept = number_kept
        self._bytes = 0
        self._by_request: OrderedDict[Request, tuple[tuple[Patch, float], ...]]
        self._by_request = OrderedDict()

    def __contains__(self, request: Request) -> bool:
        return request in self._by_request

    def to(self, request: Request) -> tuple[tuple[Patch, float], ...]:
        if request not in self._by_request:
            return ()
        self._by_request.move_to_end(request)
        return self._by_request[request]

    def keep(self, request: Request, answers: tuple[tuple[Patch, float], ...]) -> None:
        self._forget(request)
        self._by_request[request] = answers
        self._bytes += _bytes_of(answers)
        while len(self._by_request) > 1 and (
            self._bytes > self._bytes_kept or len(self._by_request) > self._number_kept
        ):
            self._forget(next(iter(self._by_request)))

    def _forget(self, request: Request) -> None:
        self._bytes -= _bytes_of(self._by_request.pop(request, ()))


class Contexts:
    """A number for all that an answer depends on besides clicks.

    Coming back to the same objects finds the same number as long as it is remembered;
    a forgotten one only costs a prediction.
    """

    def __init__(self, kept: int = 32) -> None:
        self._kept = kept
        self._next = count()
        self._numbers: OrderedDict[object, int] = OrderedDict()
        self._last: tuple[object, object, object, int] | None = None

    def number(
        self,
        asked: tuple[int, str],
        prior: Patch | None,
        objects: tuple[SegmentedObject, ...],
    ) -> int:
        last = self._last
        if (
            last is None
            or last[0] != asked
            or last[1] is not prior
            or last[2] is not objects
        ):
            key = (asked, prior, frozenset(objects))
            self._last = last = (asked, prior, objects, self._number_of(key))
        return last[3]

    def _number_of(self, key: object) -> int:
        number = self._numbers.pop(key, None)
        self._numbers[key] = next(self._next) if number is None else number
        if len(self._numbers) > self._kept:
            self._numbers.popitem(last=False)
        return self._numbers[key]


def _bytes_of(answers: tuple[tuple[Patch, float], ...]) -> int:
    return sum(patch.probability.nbytes for patch, _ in answers)
