"""The networks that are converted, as segmenters whose answer is all foreground."""

from __future__ import annotations

from pathlib import Path

from napari_iseg.catalog import ENTRIES
from napari_iseg.intensities import DtypeRange, Intensities, Percentiles
from napari_iseg.nets.papers.description import described, read_network
from napari_iseg.nets.semantic import FCN, VOC_CLASSES, FCNResNet50
from napari_iseg.nets.unet import STRIDE
from napari_iseg.refine import dhsnet, fcn
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.class_clicks import ByClass
from napari_iseg.refine.conversion import (
    AllAtOnce,
    Reads,
    Softmax,
    make_interactive,
)
from napari_iseg.weights import locate, sha256_of


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
        return fcn.TORCHVISION
    return sha256_of(weights_of(method, weights))


def cells_segmenter(weights: Path | None, device: str) -> BRS:
    """U-Net: background, cells and borders; cells are what is not background."""
    net = read_network(weights_of("unet-brs", weights), "unet-brs")
    reads = Reads(channels=1, multiple=STRIDE, intensities=Percentiles())
    return make_interactive(
        net, output=Softmax(), reads=reads, whole=True, device=device
    )


def semantic_segmenter(
    weights: Path | None, device: str, *, photographs: bool = True
) -> ByClass:
    """FCN, whole images at once; without weights torchvision's for VOC.

    What is not ``photographs`` has the contrast that images of cells are shown with.
    """
    net, contrast = semantic_network(weights), contrast_of(photographs=photographs)
    return ByClass(fcn.converted(net, AllAtOnce(), contrast, device, whole=True))


def contrast_of(*, photographs: bool) -> Intensities:
    """What becomes 0 and 1."""
    return DtypeRange() if photographs else Percentiles()


def semantic_network(weights: Path | None) -> FCN | FCNResNet50:
    """ValueError if the weights are missing or of a network that knows no classes."""
    return fcn.network(Path(fcn.TORCHVISION) if weights is None else locate(weights))


def saliency_segmenter(
    weights: Path | None, device: str, *, photographs: bool = True
) -> BRS:
    """DHSNet, whole images at once; see ``semantic_segmenter``."""
    net = dhsnet.network(weights_of("dhsnet-brs", weights))
    return dhsnet.whole_image(net, contrast_of(photographs=photographs), device)


def class_count(weights: Path | None) -> int:
    """How many classes the network of ``semantic_segmenter`` knows."""
    if weights is None:
        return len(VOC_CLASSES)
    known = described(locate(weights)).arguments
    return int(known.get("classes", len(VOC_CLASSES)))
