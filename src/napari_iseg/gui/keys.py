"""Commands bound to keys, whichever layer is active."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol

from napari_iseg.gui.commands import COMMANDS, Command, Desk


class TakesKeys(Protocol):
    """A viewer or a layer."""

    def bind_key(self, key: str, func: Any, *, overwrite: bool = False) -> Any: ...


# napari's Labels ends and drops polygons with these
LEFT_TO_LABELS = ("Enter", "Escape")


def handlers(desk: Desk) -> dict[str, Callable[[Any], Any]]:
    """One function for each key; the same one serves the viewer and the layers."""
    return {
        key: _handler(desk, command) for command in COMMANDS for key in command.keys
    }


def bind(
    target: TakesKeys,
    by_key: dict[str, Callable[[Any], Any]],
    leaving: Iterable[str] = (),
) -> None:
    """Bind every key on a viewer or a layer but those in ``leaving``.

    On a layer they win over the defaults of its class; on the viewer they serve
    whatever layer does not use the key itself.
    """
    for key, handler in by_key.items():
        if key not in leaving:
            target.bind_key(key, handler, overwrite=True)


def unbind(target: TakesKeys, by_key: dict[str, Callable[[Any], Any]]) -> None:
    """Take the keys back; those that somebody else bound since stay."""
    for key, handler in by_key.items():
        bound = target.bind_key(key, None)
        if bound is not None and bound is not handler:
            target.bind_key(key, bound)


def _handler(desk: Desk, command: Command) -> Callable[[Any], Any]:
    release = command.release
    if release is None:
        return lambda _: _run(desk, command)

    def hold(_: Any) -> Generator[None, None, None]:
        _run(desk, command)
        yield
        release(desk)

    return hold


def _run(desk: Desk, command: Command) -> None:
    if command.is_possible(desk):
        command.run(desk)
