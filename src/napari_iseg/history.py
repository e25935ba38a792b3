"""Undo and redo over immutable states."""

from __future__ import annotations

from typing import Generic, TypeVar

S = TypeVar("S")


class History(Generic[S]):
    """Every state there has been, and which of them is the present one.

    States must be immutable: they are kept, not copied. There is no limit.
    """

    def __init__(self, present: S) -> None:
        self._past: list[S] = []
        self._present = present
        self._future: list[S] = []

    @property
    def present(self) -> S:
        return self._present

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def do(self, state: S) -> None:
        """Make ``state`` the present one; what was undone before is forgotten."""
        self._past.append(self._present)
        self._present = state
        self._future.clear()

    def amend(self, state: S) -> None:
        """Make ``state`` the present one without a step that could be undone."""
        self._present = state

    def undo(self) -> bool:
        """Go one state back; False if there is none."""
        if not self._past:
            return False
        self._future.append(self._present)
        self._present = self._past.pop()
        return True

    def redo(self) -> bool:
        """Go one undone state forward; False if there is none."""
        if not self._future:
            return False
        self._past.append(self._present)
        self._present = self._future.pop()
        return True
