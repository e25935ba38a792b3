"""Runs a network again from one of its layers on: what comes before is remembered."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from napari_iseg.nets.question import owned

Answer = TypeVar("Answer")
# From what a layer was given, and what it made of that, to what is taken instead.
Edit: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Rerun(Generic[Answer]):
    """A question whose answer can be had again with one layer's output edited.

    Attributes
    ----------
    ask
        Runs the network; what it does beside calling modules is done again each time.
    at
        The layer.
    before
        Modules that were done when the layer was, with what they returned.
    plain
        The answer without an edit.
    """

    ask: Callable[[], Answer]
    at: nn.Module
    before: tuple[tuple[nn.Module, Any], ...]
    plain: Answer

    @property
    def channels(self) -> int:
        """Of the layer's output."""
        return int(self.before[-1][1].shape[1])

    def __call__(self, edit: Edit) -> Answer:
        """The answer when ``at`` returns ``edit(what it was given, what it made)``."""
        hook = self.at.register_forward_hook(
            lambda _module, given, made: edit(given[0], made)
        )
        try:
            with remembering(self.before):
                return self.ask()
        finally:
            hook.remove()


def rerun(net: nn.Module, ask: Callable[[], Answer], layer: str) -> Rerun[Answer]:
    """Run ``ask`` once, without gradients, and remember what ``layer`` needs.

    Raises
    ------
    ValueError
        If the network has no such layer, or ``ask`` does not come by it.
    """
    try:
        at = net.get_submodule(layer)
    except AttributeError as problem:
        raise ValueError(
            f"{type(net).__name__} has no layer {layer!r}: {problem}"
        ) from problem
    done: dict[str, list[tuple[nn.Module, Any]]] = {}
    with torch.no_grad(), watched(net, at, done):
        plain = ask()
    if layer not in done:
        raise ValueError(f"{type(net).__name__} was asked without its layer {layer!r}")
    before = tuple(pair for pairs in done.values() for pair in pairs)
    return Rerun(ask, at, before, plain)


@contextmanager
def watched(
    net: nn.Module, at: nn.Module, done: dict[str, list[tuple[nn.Module, Any]]]
) -> Iterator[None]:
    """Fills ``done``, until ``at`` is in it, with what modules return, by their names.

    Modules inside of one that is done are left out: nobody will call them.
    """
    is_over = False

    def note(name: str, module: nn.Module, made: Any) -> None:
        nonlocal is_over
        if is_over:
            return
        for inner in [other for other in done if other.startswith(f"{name}.")]:
            del done[inner]
        done.setdefault(name, []).append((module, owned(made)))
        is_over = module is at

    hooks = [
        module.register_forward_hook(
            lambda module, _given, made, name=name: note(name, module, made)
        )
        for name, module in net.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def remembering(known: tuple[tuple[nn.Module, Any], ...]) -> Iterator[None]:
    """Modules return, in turn, what they returned before; then they work again."""
    queues: dict[nn.Module, deque[Any]] = defaultdict(deque)
    for module, made in known:
        queues[module].append(made)
    usual = {module: module.forward for module in queues}

    def instead(module: nn.Module) -> Callable[..., Any]:
        def answer(*given: Any, **named: Any) -> Any:
            if queues[module]:
                return owned(queues[module].popleft())
            return usual[module](*given, **named)

        return answer

    try:
        for module in queues:
            module.forward = instead(module)
        yield
    finally:
        for module in queues:
            with suppress(AttributeError):
                del module.forward  # the class has one
