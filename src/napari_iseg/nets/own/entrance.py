"""Where interaction maps enter a network that was made for images alone.

Jang and Kim (CVPR 2019, section 3.3, figure 6) give the first convolution more input
channels, which share the weights of the image's. A convolution is linear: what shared
weights make of image and maps, side by side, is what the old weights make of their sum.
So the maps are added to what the convolution reads, and no weight is touched; zeros
change no bit.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn
from torch.jit import ScriptModule

AT_INPUT = "input"
REMEDY = (
    f"say first_conv={AT_INPUT!r} to lay the maps over the network's input: the same "
    "thing where only a convolution reads it"
)
_maps: ContextVar[Tensor | None] = ContextVar("maps", default=None)


class Entrance(Protocol):
    """Runs a network with maps."""

    def run(self, net: nn.Module, shown: Tensor, maps: Tensor) -> Any:
        """What ``net`` returns for ``shown`` ``(1, C, H, W)``, with ``maps`` as large.

        Raises
        ------
        ValueError
            If the maps do not fit where they should enter.
        """
        ...


@dataclass(frozen=True, slots=True)
class AtInput:
    """The maps are laid over the image: of use for networks that are files."""

    def run(self, net: nn.Module, shown: Tensor, maps: Tensor) -> Any:
        return net(shown + maps)


@dataclass(frozen=True, slots=True)
class AtConvolution:
    """The maps are added to what the convolution ``name`` reads.

    Whatever else of the network reads the image does not see them.
    """

    name: str

    @classmethod
    def of(cls, net: nn.Module, name: str) -> AtConvolution:
        """Prepare ``net``: from now on its convolution listens to ``run``.

        Raises
        ------
        ValueError
            If it has no such convolution.
        """
        modules = dict(net.named_modules())
        there = [one for one, module in modules.items() if is_convolution(module)]
        if name not in there:
            raise ValueError(
                f"{type(net).__name__} has no convolution {name!r}; it has "
                f"{listed(there)}; or {REMEDY}"
            )
        modules[name].register_forward_pre_hook(listening)
        return cls(name)

    def run(self, net: nn.Module, shown: Tensor, maps: Tensor) -> Any:
        token = _maps.set(maps)
        try:
            return net(shown)
        finally:
            _maps.reset(token)


def listening(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Adds the maps to what a convolution is given."""
    maps = _maps.get()
    if maps is None:
        return None
    if given[0].shape != maps.shape:
        raise ValueError(
            f"the first convolution reads {sides(given[0])} where the network is given "
            f"{sides(maps)}; {REMEDY}"
        )
    return given[0] + maps, *given[1:]


def first_convolution(net: nn.Module, shown: Tensor) -> str:
    """Name of the convolution that runs first when ``net`` is shown an image.

    Raises
    ------
    ValueError
        If none runs.
    """
    ran: list[str] = []
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
        for name, module in net.named_modules()
        if is_convolution(module)
    ]
    try:
        net(shown)
    finally:
        for hook in hooks:
            hook.remove()
    if not ran:
        raise ValueError(
            f"found no first convolution: {type(net).__name__} runs no Conv2d on its "
            f"image; {REMEDY}"
        )
    return ran[0]


def is_convolution(module: nn.Module | None) -> bool:
    """Whether maps may be added to what it reads; also in a file of torch.export.

    There a layer is known by its weights; what TorchScript holds lets nobody listen.
    """
    if isinstance(module, (nn.ConvTranspose2d, ScriptModule)):
        return False
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim == 4


def listed(names: list[str], most: int = 8) -> str:
    """The first few names, for a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def sides(tensor: Tensor) -> str:
    """Channels and sides of an image, for a sentence."""
    return " x ".join(str(side) for side in tensor.shape[1:])
