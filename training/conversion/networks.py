"""The networks that are converted, as segmenters whose answer is all foreground."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from napari_iseg.catalog import ENTRIES
from napari_iseg.intensities import DtypeRange, Percentiles
from napari_iseg.nets.own.entrance import AT_INPUT
from napari_iseg.nets.papers.description import described, read_network
from napari_iseg.nets.semantic import FCN, VOC_CLASSES, FCNResNet50
from napari_iseg.nets.unet import STRIDE
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.class_clicks import ByClass
from napari_iseg.refine.conversion import (
    AllAtOnce,
    Binary,
    Reads,
    Softmax,
    make_interactive,
)
from napari_iseg.weights import locate, sha256_of

TORCHVISION = "torchvision"  # the mark of weights that torchvision publishes
FCNS = ("fcn-brs", "fcn-resnet50")


def weights_of(method: str, weights: Path | None) -> Path:
    """The file that is named, or the one that comes with the method.

    Raises
    ------
    ValueError
        If none is named and none comes with it.
    """
    if weights is not None:
        return locate(weights)
    card = ENTRIES[method].weights_card() if method in ENTRIES else None
    if card is None:
        raise ValueError(
            f"no weights come with {method!r}; train some (python -m training train "
            f"{method}), export them and name them with --weights"
        )
    return locate(card)


def weights_mark(method: str, weights: Path | None) -> str:
    """What tells weights apart, in result files."""
    if method == "fcn-brs" and weights is None:
        return TORCHVISION
    return sha256_of(weights_of(method, weights))


def cells_segmenter(weights: Path | None, device: str) -> BRS:
    """U-Net: background, cells and borders; cells are what is not background."""
    net = read_network(weights_of("unet-brs", weights), "unet-brs")
    reads = Reads(channels=1, multiple=STRIDE, intensities=Percentiles())
    return make_interactive(
        net, output=Softmax(), reads=reads, whole=True, device=device
    )


def semantic_segmenter(weights: Path | None, device: str) -> ByClass:
    """FCN, whole images at once; without weights torchvision's for VOC."""
    net = semantic_network(weights)
    is_framed = isinstance(net, FCN) and net.padded
    first = AT_INPUT if is_framed else None
    reads = Reads(channels=3, intensities=DtypeRange())
    return ByClass(
        make_interactive(
            net,
            first_conv=first,
            output=Softmax(),
            reads=reads,
            view=AllAtOnce(),
            whole=True,
            device=device,
        )
    )


def semantic_network(weights: Path | None) -> nn.Module:
    """ValueError if the weights are missing or of a network that knows no classes."""
    if weights is None:
        return FCNResNet50(pretrained=True)
    name = described(locate(weights)).name
    if name not in FCNS:
        raise ValueError(f"{weights} holds weights of {name!r}, not of an FCN")
    return read_network(weights, name)


def saliency_segmenter(weights: Path | None, device: str) -> BRS:
    """DHSNet, whole images at once; it squeezes them itself."""
    net = read_network(weights_of("dhsnet-brs", weights), "dhsnet-brs")
    return make_interactive(
        net,
        first_conv=AT_INPUT,
        output=Binary(key=0),
        reads=Reads(channels=3, multiple=1, intensities=DtypeRange()),
        view=AllAtOnce(),
        whole=True,
        device=device,
    )


def class_count(weights: Path | None) -> int:
    """How many classes the network of ``semantic_segmenter`` knows."""
    if weights is None:
        return len(VOC_CLASSES)
    known = described(locate(weights)).arguments
    return int(known.get("classes", len(VOC_CLASSES)))
