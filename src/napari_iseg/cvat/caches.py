"""What was used last, within a limit of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """Values by key; the ones not used for longest are forgotten first.

    Parameters
    ----------
    bytes_kept
        What the values may take together. The last one is kept whatever it takes.
    number_kept
        How many values there may be.
    """

    def __init__(self, bytes_kept: int, number_kept: int) -> None:
        self._bytes_kept = bytes_kept
        self._number_kept = number_kept
        self._values: OrderedDict[bytes, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(size for _, size in self._values.values())

    def get(self, key: bytes) -> Value | None:
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def keep(self, key: bytes, value: Value, size: int) -> None:
        """Remember ``value``, which takes ``size`` bytes."""
        self._values.pop(key, None)
        self._values[key] = (value, size)
        while len(self) > max(1, self._number_kept) or (
            len(self) > 1 and self.size > self._bytes_kept
        ):
            self._values.popitem(last=False)

    def resized(self, key: bytes, size: int) -> None:
        """The value of ``key`` has grown or shrunk to ``size`` bytes."""
        value = self.get(key)
        if value is not None:
            self.keep(key, value, size)

    def get_or_make(
        self, key: bytes, make: Callable[[], Value], size: Callable[[Value], int]
    ) -> Value:
        """The value of ``key``; a new one is made, and kept, where there is none."""
        value = self.get(key)
        if value is None:
            value = make()
            self.keep(key, value, size(value))
        return value
