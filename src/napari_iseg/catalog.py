"""The catalogue of methods: names and where to find what they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_iseg.polished import is_polished, unpolished
from napari_iseg.segmenter import AutomaticSegmenter, Segmenter
from napari_iseg.taught import is_taught, parts_of, taught_path
from napari_iseg.weights import WeightsCard, locate, packaged_card


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One method.

    Attributes
    ----------
    name
        What ``load_segmenter`` is asked for.
    title
        What a menu shows.
    paper
        Where the method is from; "" for one of ours.
    build
        ``"module:function"``, imported on demand, called as
        ``function(device=..., weights=path or None)``.
    card
        Name of the card of its weights in the package; None if it has no weights.
    summary
        One sentence for the user.
    obeys
        Whether it promises that every clicked pixel carries its label.
    published
        What ``weights`` may say instead of a file for weights that others publish, for
        other images than ours are; "" if there are none.
    """

    name: str
    title: str
    paper: str
    build: str
    card: str | None = None
    summary: str = ""
    obeys: bool = True
    published: str = ""

    def weights_card(self) -> WeightsCard | None:
        """The card of its weights; ValueError if it is not where it should be."""
        return None if self.card is None else packaged_card(self.card)


# One line for each method; the first one is the default.
_ENTRIES = (
    Entry(
        name="cells",
        title="Cells",
        paper="",
        build="napari_iseg.refine.cells:build",
        card="cells",
        summary="Cells and nuclei of any microscope; a small network of ours.",
    ),
    Entry(
        name="ifcn",
        title="iFCN",
        paper="Xu, Price, Cohen, Yang and Huang, CVPR 2016",
        build="napari_iseg.refine.papers:ifcn",
        card="ifcn",
        summary="One plain network that is told how far each pixel is from the clicks.",
        obeys=False,
    ),
    Entry(
        name="ris-net",
        title="RIS-Net",
        paper="Liew, Wei, Xiong, Ong and Feng, ICCV 2017",
        build="napari_iseg.refine.papers:ris_net",
        card="ris-net",
        summary="Looks at all, then closer between positive and negative clicks.",
        obeys=False,
    ),
    Entry(
        name="latent-diversity",
        title="Latent Diversity",
        paper="Li, Chen and Koltun, CVPR 2018",
        build="napari_iseg.refine.papers:latent_diversity",
        card="latent-diversity",
        summary="Six masks that the clicks may mean, with their probabilities.",
        obeys=False,
    ),
    Entry(
        name="itis",
        title="ITIS",
        paper="Mahadevan, Voigtlaender and Leibe, BMVC 2018",
        build="napari_iseg.refine.papers:itis",
        card="itis",
        summary="Trained on its own mistakes; each click corrects its last answer.",
        obeys=False,
    ),
    Entry(
        name="fctsfn",
        title="FCTSFN",
        paper="Hu, Soltoggio, Lock and Carter, Neural Networks 2019",
        build="napari_iseg.refine.papers:fctsfn",
        card="fctsfn",
        summary="Sees image and clicks apart, joins them late, then refines outlines.",
        obeys=False,
    ),
    Entry(
        name="brs",
        title="BRS",
        paper="Jang and Kim, CVPR 2019",
        build="napari_iseg.refine.papers:brs",
        card="brs",
        summary="Changes what its network is told until its answer heeds the clicks.",
        obeys=False,
    ),
    Entry(
        name="unet-brs",
        title="U-Net with BRS",
        paper="Ronneberger, Fischer and Brox, MICCAI 2015; Jang and Kim, CVPR 2019",
        build="napari_iseg.refine.unet:build",
        card="unet-brs",
        summary="Cells in phase contrast; it finds them by itself, clicks correct it.",
    ),
    Entry(
        name="fcn-brs",
        title="FCN with BRS",
        paper="Long, Shelhamer and Darrell, CVPR 2015; Jang and Kim, CVPR 2019",
        build="napari_iseg.refine.fcn:build",
        card="fcn-brs",
        summary="Tells kinds of cells apart; the first click says which kind it is.",
        published="torchvision",
    ),
    Entry(
        name="dhsnet-brs",
        title="DHSNet with BRS",
        paper="Liu and Han, CVPR 2016; Jang and Kim, CVPR 2019",
        build="napari_iseg.refine.dhsnet:build",
        card="dhsnet-brs",
        summary="What stands out, coarsely first, then finer; here that is cells.",
    ),
    Entry(
        name="graph-cut",
        title="Graph cut",
        paper="Boykov and Jolly, ICCV 2001",
        build="napari_iseg.classical.graph_cut:build",
        summary="By the colours of the clicks, with a border where contrast is strong.",
    ),
    Entry(
        name="grab-cut",
        title="GrabCut",
        paper="Rother, Kolmogorov and Blake, SIGGRAPH 2004",
        build="napari_iseg.classical.grab_cut:build",
        summary="Graph cut that learns the colours again from its own answer.",
    ),
    Entry(
        name="random-walk",
        title="Random walk",
        paper="Grady, PAMI 2006",
        build="napari_iseg.classical.random_walk:build",
        summary="The click that a random walker, who avoids contrast, meets first.",
    ),
    Entry(
        name="geodesic-matting",
        title="Geodesic matting",
        paper="Bai and Sapiro, ICCV 2007",
        build="napari_iseg.classical.geodesic_matting:build",
        summary="The click that is nearest where a change of colours is a long way.",
    ),
    Entry(
        name="euclidean-star",
        title="Star convexity",
        paper="Gulshan, Rother, Criminisi, Blake and Zisserman, CVPR 2010",
        build="napari_iseg.classical.euclidean_star:build",
        summary="Graph cut of an object that its clicks see along straight lines.",
    ),
    Entry(
        name="geodesic-star",
        title="Geodesic star convexity",
        paper="Gulshan, Rother, Criminisi, Blake and Zisserman, CVPR 2010",
        build="napari_iseg.classical.geodesic_star:build",
        summary="Graph cut of an object that its clicks see whole, along the image.",
    ),
    Entry(
        name="grow-cut",
        title="GrowCut",
        paper="Vezhnevets and Konouchine, GraphiCon 2005",
        build="napari_iseg.classical.grow_cut:build",
        summary="Clicks conquer their neighbours, the faster the more alike they are.",
    ),
)

ENTRIES: Mapping[str, Entry] = MappingProxyType({one.name: one for one in _ENTRIES})

# Methods that need no click, with ``build`` as above but for an AutomaticSegmenter.
_AUTOMATIC = (
    Entry(
        name="unet-brs",
        title="U-Net",
        paper="Ronneberger, Fischer and Brox, MICCAI 2015",
        build="napari_iseg.refine.unet:build_automatic",
        card="unet-brs",
        summary="Cells in phase contrast, told apart by the borders between them.",
    ),
    Entry(
        name="watershed",
        title="Watershed",
        paper="",
        build="napari_iseg.classical.watershed:build",
        summary="Threshold, then one object for each hill of the distance to its edge.",
    ),
)
AUTOMATIC: Mapping[str, Entry] = MappingProxyType({one.name: one for one in _AUTOMATIC})

_POLISHED = "napari_iseg.refine.polish:Polished"


def load_segmenter(
    name: str = "cells", *, device: str = "auto", weights: str | Path | None = None
) -> Segmenter:
    """A method of the catalogue, ready to use.

    Parameters
    ----------
    name
        A key of ``ENTRIES``; "cells+my worms" for the weights that were taught under
        this name; "cells~polished" with a graph cut after each answer.
    device
        "auto", "cpu", "cuda" or "mps".
    weights
        A safetensors file to use instead of the weights that come with the method; or
        what the entry says in ``published``: "torchvision" for ``fcn-brs``.

    Raises
    ------
    ValueError
        If there is no such method or device, or the weights are missing, no weights
        or not the ones that their card describes.
    """
    path = weights_file(name, weights)
    build: Callable[..., Segmenter] = _function(_entry(name, ENTRIES).build)
    segmenter = build(device=device, weights=path)
    return with_polish(segmenter) if is_polished(name) else segmenter


def with_polish(segmenter: Segmenter) -> Segmenter:
    """The same method with a graph cut after each answer."""
    polished: Callable[[Segmenter], Segmenter] = _function(_POLISHED)
    return polished(segmenter)


def weights_file(name: str, weights: str | Path | None = None) -> Path | None:
    """Where the weights are that ``load_segmenter`` takes; None if it has none.

    Arguments and errors as in ``load_segmenter``.
    """
    entry = _entry(name, ENTRIES)
    if weights is None and is_taught(name):
        weights = taught_path(unpolished(name))
    return _weights_path(entry, weights)


def load_automatic(
    name: str = "unet-brs",
    *,
    device: str = "auto",
    weights: str | Path | None = None,
) -> AutomaticSegmenter:
    """A method of ``AUTOMATIC``; arguments and errors as in ``load_segmenter``."""
    entry = _entry(name, AUTOMATIC)
    build: Callable[..., AutomaticSegmenter] = _function(entry.build)
    return build(device=device, weights=_weights_path(entry, weights))


def _entry(name: str, entries: Mapping[str, Entry]) -> Entry:
    name, _ = parts_of(unpolished(name))
    if name in entries:
        return entries[name]
    near = get_close_matches(name, entries, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(entries)}"
    raise ValueError(f"no method is called {name!r}; {hint}")


def _weights_path(entry: Entry, weights: str | Path | None) -> Path | None:
    if entry.published and str(weights) == entry.published:
        return Path(entry.published)
    card = None if weights is not None else entry.weights_card()
    if weights is not None and entry.card is None:
        raise ValueError(f"{entry.name!r} has no weights, so none can be chosen")
    chosen = card if weights is None else weights
    return None if chosen is None else locate(chosen)


def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
