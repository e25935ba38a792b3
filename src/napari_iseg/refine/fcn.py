"""FCN: classes of pixels, cells or photographs; clicks correct one object by BRS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_iseg.intensities import DtypeRange, Intensities, Percentiles
from napari_iseg.nets.own.entrance import AT_INPUT
from napari_iseg.nets.papers.description import described, read_network
from napari_iseg.nets.semantic import FCN, VOC_CLASSES, FCNResNet50
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.conversion import (
    AllAtOnce,
    InWindows,
    Reads,
    Softmax,
    make_interactive,
)
from napari_iseg.refine.first_click import ByFirstClick
from napari_iseg.refine.own_windows import View
from napari_iseg.refine.separated import SOON

FCNS = ("fcn-brs", "fcn-resnet50")
TORCHVISION = "torchvision"  # instead of a file: the network that torchvision publishes


def build(device: str, weights: Path) -> ByFirstClick:
    """One object at a time, of the class that the first positive click falls on.

    Weights for VOC's classes are shown whole photographs, others windows of an image
    of cells, of which a click takes one. ``weights`` may be ``TORCHVISION``.

    Raises
    ------
    ValueError
        If the device is not there, the weights are of another network, or torchvision's
        are not there and cannot be downloaded.
    """
    net = network(weights)
    if net.classes == len(VOC_CLASSES):
        return ByFirstClick(converted(net, AllAtOnce(), DtypeRange(), device))
    cells = converted(net, InWindows(), Percentiles(), device)
    return ByFirstClick(replace(cells, bounds=SOON), split=True)


def network(weights: Path) -> FCN | FCNResNet50:
    """An FCN; ValueError if the file is of another network, or cannot be had."""
    if str(weights) == TORCHVISION:
        return FCNResNet50(pretrained=True)
    name = described(weights).name
    if name not in FCNS:
        raise ValueError(f"{weights} holds weights of {name!r}, not of an FCN")
    net = read_network(weights, name)
    assert isinstance(net, FCN | FCNResNet50)
    return net


def converted(
    net: FCN | FCNResNet50,
    view: View,
    intensities: Intensities,
    device: str,
    *,
    whole: bool = False,
) -> BRS:
    """An FCN that takes clicks; its frame is none of the image, so maps lie within."""
    is_framed = isinstance(net, FCN) and net.padded
    return make_interactive(
        net,
        first_conv=AT_INPUT if is_framed else None,
        output=Softmax(),
        reads=Reads(channels=3, intensities=intensities),
        view=view,
        whole=whole,
        device=device,
    )
