"""The papers' networks with a few random weights, as methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from napari_iseg.nets.papers import network
from napari_iseg.refine.papers import segmenter_of
from napari_iseg.refine.windowed import Windowed
from tests.nets.papers.measures import awake

NARROW = 1 / 32
UNPADDED: Mapping[str, Any] = {"padded": False}  # a sixth of the pixels
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {"fctsfn": UNPADDED, "ifcn": UNPADDED}


def tiny_net(name: str) -> nn.Module:
    """Always the same weights."""
    torch.manual_seed(0)
    return awake(network(name)(width=NARROW, **ARGUMENTS.get(name, {}))).eval()


def tiny_segmenter(name: str) -> Windowed:
    return segmenter_of(tiny_net(name))
