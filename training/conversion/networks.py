"""The networks that are converted, as segmenters whose answer is all foreground."""

from __future__ import annotations

from pathlib import Path

from napari_iseg.catalog import ENTRIES
from napari_iseg.intensities import Percentiles
from napari_iseg.nets.papers.description import read_network
from napari_iseg.nets.unet import STRIDE
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.conversion import Reads, Softmax, make_interactive
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
    return sha256_of(weights_of(method, weights))


def cells_segmenter(weights: Path | None, device: str) -> BRS:
    """U-Net: background, cells and borders; cells are what is not background."""
    net = read_network(weights_of("unet-brs", weights), "unet-brs")
    reads = Reads(channels=1, multiple=STRIDE, intensities=Percentiles())
    return make_interactive(
        net, output=Softmax(), reads=reads, whole=True, device=device
    )
