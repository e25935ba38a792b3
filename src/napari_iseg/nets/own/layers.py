"""Where inside a network refinement may turn features instead of interaction maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from napari_iseg.nets.own.entrance import is_convolution


def layers_of(net: nn.Module, ask: Callable[[], Tensor]) -> Mapping[str, str]:
    """Layers for f-BRS' positions, by name: "a", "b", "c" and "last".

    "a" is the convolution that ends the coarsest part, "b" half way from there to the
    answer, "c" the one before the last and "last" the one that makes the answer. Only
    convolutions count that the answer depends on. Empty for a network whose layers
    cannot be watched (TorchScript).

    Parameters
    ----------
    net
        Where to look; names are as in ``named_modules``.
    ask
        Runs it; differentiable.
    """
    ran = [(name, made) for name, made in watched(net, ask) if made.ndim == 4]
    if not ran:
        return {}
    *before, last = ran
    coarsest = min(made[0, 0].numel() for _, made in ran)
    deep = [one for one in before if one[1][0, 0].numel() == coarsest]
    at = before.index(deep[-1]) if deep else max(0, len(before) - 1)
    path = before[at:] or [last]
    places = {"a": path[0], "b": path[len(path) // 2], "c": path[-1], "last": last}
    return {position: name for position, (name, _) in places.items()}


def watched(net: nn.Module, ask: Callable[[], Tensor]) -> list[tuple[str, Tensor]]:
    """Convolutions in the order in which they ran, with what they made."""
    ran: list[tuple[str, Tensor]] = []

    def note(name: str) -> Callable[..., None]:
        return lambda _module, _given, made: ran.append((name, made))

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in net.named_modules()
        if is_convolution(module)
    ]
    try:
        said = ask().sum()
    finally:
        for hook in hooks:
            hook.remove()
    if not ran:
        return []
    slopes = torch.autograd.grad(said, [made for _, made in ran], allow_unused=True)
    needed: list[Tensor | None] = list(slopes)
    return [one for one, slope in zip(ran, needed, strict=True) if slope is not None]
