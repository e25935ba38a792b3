"""U-Net for cells: finds all of them by itself, and clicks correct it by BRS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_iseg.intensities import Percentiles
from napari_iseg.nets.papers.description import read_network
from napari_iseg.nets.unet import STRIDE, SameSize, UNet
from napari_iseg.refine.automatic import Tiled
from napari_iseg.refine.cells import available
from napari_iseg.refine.conversion import Reads, Softmax, make_interactive
from napari_iseg.refine.separated import SOON, Separated

NAME = "unet-brs"


def build(device: str, weights: Path) -> Separated:
    """One object at a time, by clicks; those on its neighbours cut it off.

    Raises
    ------
    ValueError
        If the device is not there or the weights are not this network's.
    """
    net = read_network(weights, NAME)
    reads = Reads(channels=1, multiple=STRIDE, intensities=Percentiles())
    brs = make_interactive(net, output=Softmax(), reads=reads, device=device)
    return Separated(replace(brs, bounds=SOON))


def build_automatic(device: str, weights: Path) -> Tiled:
    """Every cell of an image, without a click.

    Raises
    ------
    ValueError
        As ``build``, and if the weights know no border between cells.
    """
    net = read_network(weights, NAME)
    assert isinstance(net, UNet)
    classes = net.score.out_channels
    if classes != 3:
        raise ValueError(
            f"{weights} tell {classes} classes apart; to tell cells from cells they "
            "must know three, background, cell and border (preset cells-small)"
        )
    where = available(device)
    return Tiled(SameSize(net).to(where), where)
