"""What a user can do with a key or a button: the one table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from napari_iseg.gui.controller import Controller
from napari_iseg.session import Session


class Desk(Protocol):
    """What commands act on: one window's controller and what is drawn for it."""

    @property
    def controller(self) -> Controller: ...

    def take_polarity(self, *, is_positive: bool) -> None: ...
    def swap_polarity(self) -> None: ...
    def hide_preview(self, *, is_hidden: bool) -> None: ...
    def step_object(self, step: int) -> None: ...
    def undo_by_hand(self) -> bool: ...


def _always(_: Desk) -> bool:
    return True


def _with_session(test: Callable[[Session], bool]) -> Callable[[Desk], bool]:
    def is_possible(desk: Desk) -> bool:
        session = desk.controller.session
        return session is not None and test(session)

    return is_possible


def _do(action: Callable[[Session], object]) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        desk.controller.do(action)

    return run


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do, however it is asked for.

    ``keys`` in napari's spelling; the first one is written on the button. ``run`` is
    called at press, and ``release``, if there is one, when the key is let go.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    tooltip: str
    run: Callable[[Desk], None]
    is_possible: Callable[[Desk], bool] = field(default=_always)
    release: Callable[[Desk], None] | None = None

    @property
    def text(self) -> str:
        """Title and key, for a button."""
        return f"{self.title}  {shown_key(self.keys[0])}" if self.keys else self.title


def shown_key(key: str) -> str:
    """A key as people write it: ``Control-Shift-Z`` is Ctrl+Shift+Z."""
    names = {"Control": "Ctrl", "Escape": "Esc", "Enter": "⏎"}
    return "+".join(names.get(part, part) for part in key.split("-"))


def _undo(desk: Desk) -> None:
    if not desk.undo_by_hand():
        desk.controller.do(Session.undo)


def alternative(index: int, *keys: str) -> Command:
    """To take a hypothesis, the best one is 0; without a key only by its button."""
    return Command(
        f"alternative {index + 1}",
        f"Alternative {index + 1}",
        keys,
        f"Take hypothesis {index + 1} of the method instead of the shown one",
        _do(lambda session: session.choose(index)),
        _with_session(lambda session: len(session.alternatives) > index),
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        "positive",
        "Positive",
        ("Q",),
        "Left clicks say: this pixel belongs to the object (right clicks the opposite)",
        lambda desk: desk.take_polarity(is_positive=True),
    ),
    Command(
        "negative",
        "Negative",
        ("W",),
        "Left clicks say: this pixel does not belong (right clicks the opposite)",
        lambda desk: desk.take_polarity(is_positive=False),
    ),
    Command(
        "swap",
        "Swap",
        ("T",),
        "Swap positive and negative",
        lambda desk: desk.swap_polarity(),
    ),
    Command(
        "run",
        "Run",
        ("G",),
        "Find the object for these clicks now",
        lambda desk: desk.controller.run(),
        _with_session(lambda session: session.wanted is not None),
    ),
    Command(
        "stop",
        "Stop",
        (),
        "Do not wait for the running prediction",
        lambda desk: desk.controller.stop(),
        lambda desk: desk.controller.is_busy,
    ),
    Command(
        "undo",
        "Undo",
        ("Control-Z",),
        "Take back the last click, choice or accepted object; without limit",
        _undo,
        _with_session(lambda session: session.can_undo),
    ),
    Command(
        "redo",
        "Redo",
        ("Control-Shift-Z",),
        "Do again what was undone",
        _do(Session.redo),
        _with_session(lambda session: session.can_redo),
    ),
    Command(
        "clear",
        "Clear",
        ("Escape",),
        "Drop the clicks of the object in progress",
        _do(Session.clear),
        _with_session(lambda session: not session.is_blank),
    ),
    Command(
        "accept",
        "Accept",
        ("Enter", "N"),
        "Write the object into the labels and go on to the next "
        "(N works while a Labels or Shapes layer is active, too)",
        _do(Session.accept),
        _with_session(lambda session: session.mask is not None),
    ),
    Command(
        "hide",
        "Hide preview",
        ("H",),
        "See the image without the preview while the key is held",
        lambda desk: desk.hide_preview(is_hidden=True),
        release=lambda desk: desk.hide_preview(is_hidden=False),
    ),
    Command(
        "previous",
        "Previous",
        ("J",),
        "Reopen the object before this one, with its clicks",
        lambda desk: desk.step_object(-1),
        _with_session(lambda session: len(session.objects) > 0),
    ),
    Command(
        "next",
        "Next",
        ("K",),
        "Reopen the object after this one, with its clicks",
        lambda desk: desk.step_object(1),
        _with_session(lambda session: len(session.objects) > 0),
    ),
    alternative(0, "8"),
    alternative(1, "9"),
    alternative(2, "0"),
)

BY_NAME = {command.name: command for command in COMMANDS}


def key_table() -> str:
    """The keys as a Markdown table, for the documentation."""
    rows = ["| key | command | what it does |", "|---|---|---|"]
    for command in COMMANDS:
        if command.keys:
            keys = " or ".join(f"`{shown_key(key)}`" for key in command.keys)
            rows.append(f"| {keys} | {command.title} | {command.tooltip} |")
    return "\n".join(rows)


KEY_PAGE = """# Keys

Made from the table of commands by `python -m napari_iseg.gui.commands > docs/keys.md`.
They work whichever layer is active, but for what napari keeps for itself: `T` draws a
path in Shapes, `Enter` and `Esc` end polygons in Labels and Shapes (use `N` to accept),
`Ctrl+Z` in a Labels layer of yours takes back your stroke.

A left click has the polarity of the active points layer, a right click the other one, a
middle click none. Drag a point to move its click, delete it to take it back.

"""

if __name__ == "__main__":
    sys.stdout.write(KEY_PAGE + key_table() + "\n")
