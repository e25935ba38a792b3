"""The papers' networks behind windowed inference, one function for each name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import nn

from napari_iseg.nets.papers.description import read_network
from napari_iseg.nets.papers.paper_model import PaperModel
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.cells import available
from napari_iseg.refine.windowed import Policy, Windowed

NEVER = 1_000_000  # clicks
# Which window is looked at is ours, as for ``cells``; what is answered there is the
# network's alone: not merged, not levelled, not asked twice and not corrected.
AS_PUBLISHED = Policy(
    merge_from=NEVER,
    local_from=NEVER,
    level=0.0,
    retry=False,
    obey=False,
    by_clicks=False,
)


def segmenter_of(net: nn.Module, device: str = "cpu") -> Windowed:
    """A network of ``napari_iseg.nets.papers`` as a segmenter.

    One with several masks offers all of them as alternatives.
    """
    several = getattr(net, "masks", 1) > 1
    policy = replace(AS_PUBLISHED, every=several)
    return Windowed(PaperModel(net, device), policy, tell=list)


def built(name: str, device: str, weights: Path) -> Windowed:
    """Load the weights of the network ``name`` onto ``device``.

    Raises
    ------
    ValueError
        If the device is not there or the weights are not this network's.
    """
    return segmenter_of(read_network(weights, name), available(device))


def brs(device: str, weights: Path) -> BRS:
    """The paper's network with the paper's refinement; as ``built``."""
    return BRS(unrefined_brs(device, weights))


# What the catalogue's entries call.
unrefined_brs = partial(built, "brs")
fctsfn = partial(built, "fctsfn")
ifcn = partial(built, "ifcn")
itis = partial(built, "itis")
latent_diversity = partial(built, "latent-diversity")
ris_net = partial(built, "ris-net")
