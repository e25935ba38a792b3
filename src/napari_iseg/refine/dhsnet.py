"""DHSNet: what is salient; clicks correct one object by BRS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_iseg.intensities import Intensities, Percentiles
from napari_iseg.nets.dhsnet import DHSNet, Square
from napari_iseg.nets.own.entrance import AT_INPUT
from napari_iseg.nets.papers.description import read_network
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.conversion import (
    AllAtOnce,
    Binary,
    InWindows,
    Reads,
    make_interactive,
)
from napari_iseg.refine.separated import SOON, Separated

NAME = "dhsnet-brs"
LARGEST = 4  # times the side of the network: of a window for a large object


def build(device: str, weights: Path) -> Separated:
    """One object at a time, of several that touch, in windows around the clicks.

    The network makes every image as large as it reads. A window has so many pixels, and
    more for an object that does not fit: the larger the object, the coarser it is seen.

    Raises
    ------
    ValueError
        If the device is not there or the weights are not this network's.
    """
    return one_object(network(weights), device)


def one_object(net: DHSNet, device: str) -> Separated:
    """See ``build``."""
    brs = make_interactive(
        Square(net),
        first_conv=AT_INPUT,
        output=Binary(),
        reads=Reads(channels=3, multiple=1, intensities=Percentiles()),
        view=InWindows(side=net.side, largest=LARGEST * net.side),
        device=device,
    )
    return Separated(replace(brs, bounds=SOON))


def whole_image(net: DHSNet, intensities: Intensities, device: str) -> BRS:
    """As the paper has it: all that is salient, the whole image squeezed to a square.

    ``intensities``: what becomes 0 and 1.
    """
    return make_interactive(
        net,
        first_conv=AT_INPUT,
        output=Binary(key=0),
        reads=Reads(channels=3, multiple=1, intensities=intensities),
        view=AllAtOnce(),
        whole=True,
        device=device,
    )


def network(weights: Path) -> DHSNet:
    """ValueError if the weights are of another network."""
    net = read_network(weights, NAME)
    assert isinstance(net, DHSNet)
    return net
