"""Any network with interaction maps beside its image: BRS' training-free conversion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType

import torch
from torch import Tensor, nn

from napari_iseg.arrays import Grid
from napari_iseg.nets.own.entrance import (
    AT_INPUT,
    AtConvolution,
    AtInput,
    Entrance,
    first_convolution,
)
from napari_iseg.nets.own.fitting import REFUSALS, Fit, fit_of
from napari_iseg.nets.own.layers import layers_of
from napari_iseg.nets.own.outputs import Key, Output, guessed, tensor_of
from napari_iseg.nets.own.reads import Reads

PROBED = 96  # pixels a side of the noise that a network is tried on, or what it takes


class Converted(nn.Module):
    """A network that reads maps beside its image; zeros change no bit of its answer.

    Parameters
    ----------
    net
        The network, as it is. It is neither copied nor trained.
    reads, fit, channels
        How an image becomes its input.
    entrance
        Where the maps enter.
    output
        What its answer means.

    Attributes
    ----------
    own_layers
        Where its features may be refined, by position; see ``layers_of``.
    """

    own_layers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        net: nn.Module,
        reads: Reads,
        fit: Fit,
        channels: int,
        entrance: Entrance,
        output: Output,
    ) -> None:
        super().__init__()
        self.net, self.reads, self.fit, self.channels = net, reads, fit, channels
        self.entrance, self.output = entrance, output

    def forward(self, image: Tensor, maps: Tensor) -> Tensor:
        """Log-odds of the object ``(1, H, W)``.

        ``image`` ``(1, 3, H, W)`` in 0..1, ``maps`` ``(1, channels, H, W)`` in the
        units of the network's input.
        """
        return self.output.objects(self.made(image, maps))

    def by_class(self, image: Tensor, maps: Tensor) -> Tensor:
        """The same for each class, ``(K, H, W)``."""
        return self.output.classes(self.made(image, maps))

    def made(self, image: Tensor, maps: Tensor) -> Tensor:
        """The network's own output ``(1, K, H, W)``, cut to the image."""
        grid = (image.shape[-2], image.shape[-1])
        shown = self.fit.extended(self.reads.shown(image, self.channels))
        made = self.entrance.run(self.net, shown, self.fit.widened(maps))
        return self.fit.cut(tensor_of(made, self.output.key), grid)

    def meaning(self, output: Output) -> Converted:
        """The same network, no part of it copied, whose answer means something else."""
        found = Converted(
            self.net, self.reads, self.fit, self.channels, self.entrance, output
        )
        found.own_layers = self.own_layers
        return found

    def no_maps(self, image: Tensor) -> Tensor:
        """The maps of no click at all."""
        return image.new_zeros(1, self.channels, *image.shape[-2:])


def frozen(net: nn.Module) -> nn.Module:
    """A copy in single precision that neither learns nor drops out."""
    copy = deepcopy(net).float().eval()
    return copy.requires_grad_(requires_grad=False)


def converted(
    net: nn.Module,
    reads: Reads,
    output: Output | None = None,
    first_conv: str | None = None,
    device: str = "cpu",
) -> Converted:
    """``net`` with interaction maps, tried on noise.

    Parameters
    ----------
    net
        Takes ``(1, C, H, W)``; see ``frozen``.
    reads
        How an image becomes its input.
    output
        What its answer means; None: seen from its answer, where it can be.
    first_conv
        Name of the convolution that reads the image, or ``AT_INPUT``; None: the one
        that runs first.
    device
        Where the network is.

    Raises
    ------
    ValueError
        If the network does not take an image, does not answer for each pixel or cannot
        be differentiated, or something was said that does not fit it.
    """
    key = None if output is None else output.key
    channels, fit = tried(net, reads, key, device)
    rng = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, *probe(fit), generator=rng).to(device)
    shown = fit.extended(reads.shown(noise, channels))
    entrance = entrance_of(net, shown, first_conv)
    with torch.no_grad():
        answer = net(shown)
    if output is None:
        output = guessed(tensor_of(answer, None))
    output.check(tensor_of(answer, output.key))
    found = Converted(net, reads, fit, channels, entrance, output)
    maps = found.no_maps(noise).requires_grad_()
    with torch.enable_grad():
        check_gradients(found, noise, maps)
        found.own_layers = layers_of(found, lambda: found(noise, maps))
    return found


def tried(net: nn.Module, reads: Reads, key: Key, device: str) -> tuple[int, Fit]:
    """How many channels the network reads, and which sizes."""
    first: Exception | None = None
    for channels in (3, 1) if reads.channels is None else (reads.channels,):
        try:
            sizes = answering(net, channels, key, device)
            return channels, fit_of(sizes, reads.multiple, reads.size)
        except WrongOutput as problem:
            raise ValueError(str(problem)) from problem
        except REFUSALS as refusal:
            first = first or refusal
    assert first is not None
    reason = str(first).strip().splitlines()
    raise ValueError(
        f"{type(net).__name__} could not be run on an image (1, 1 or 3 channels, "
        f"height, width): {reason[0] if reason else type(first).__name__}; if it takes "
        "one size only say reads=Reads(size=(height, width)); if it takes something "
        "else wrap it in a module that takes an image"
    ) from first


class WrongOutput(Exception):  # noqa: N818 - it becomes a ValueError
    """The network ran, but its answer is no image: other sizes would not help."""


def answering(
    net: nn.Module, channels: int, key: Key, device: str
) -> Callable[[Grid], Grid]:
    """Asks a network about a grey image; tells the size of its answer."""

    def sizes(grid: Grid) -> Grid:
        with torch.no_grad():
            made = net(torch.full((1, channels, *grid), 0.5, device=device))
        try:
            height, width = tensor_of(made, key).shape[-2:]
        except ValueError as problem:
            raise WrongOutput(str(problem)) from problem
        return height, width

    return sizes


def probe(fit: Fit) -> Grid:
    """Size of the noise: one that is not extended where that is possible."""
    if fit.size is not None:
        return fit.size[0] - 2 * fit.border, fit.size[1] - 2 * fit.border
    side = fit.side(PROBED, 0) - 2 * fit.border
    return side, side


def entrance_of(net: nn.Module, shown: Tensor, first_conv: str | None) -> Entrance:
    """Where the maps enter; tried once with zeros."""
    if first_conv == AT_INPUT:
        return AtInput()
    with torch.no_grad():
        name = first_conv or first_convolution(net, shown)
        entrance = AtConvolution.of(net, name)
        entrance.run(net, shown, torch.zeros_like(shown))
    return entrance


def check_gradients(net: Converted, image: Tensor, maps: Tensor) -> None:
    """ValueError if no change of the maps changes the answer."""
    said = net(image, maps).sum()
    if not said.requires_grad:
        raise ValueError(
            f"{type(net.net).__name__} cannot be differentiated: between its "
            "image and its output it leaves torch's operations, rounds, or forbids "
            "gradients; give logits or probabilities, not labels"
        )
    (slope,) = torch.autograd.grad(said, maps, materialize_grads=True)
    if not slope.any():
        raise ValueError(
            f"the output of {type(net.net).__name__} does not change with what enters "
            "at its first convolution, or only in steps: BRS could not correct it"
        )
