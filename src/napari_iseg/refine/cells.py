"""The default method: the cells network behind windowed inference."""

from __future__ import annotations

from pathlib import Path

import torch

from napari_iseg.nets.window_model import CellsModel, net_from
from napari_iseg.refine.windowed import Policy, Windowed
from napari_iseg.weights import read_tensors


def build(device: str, weights: Path) -> Windowed:
    """Load ``weights`` onto ``device`` ("auto", "cpu", "cuda" or "mps").

    Raises
    ------
    ValueError
        If the device is not there or the weights are not this network's.
    """
    model = CellsModel(net_from(read_tensors(weights)), available(device))
    return Windowed(model, Policy())


def available(device: str) -> str:
    """``device`` if this machine has it; "auto" takes the fastest there is."""
    found = ["cpu"]
    if torch.backends.mps.is_available():
        found.insert(0, "mps")
    if torch.cuda.is_available():
        found.insert(0, "cuda")
    if device == "auto":
        return found[0]
    if device.split(":", maxsplit=1)[0] not in found:
        raise ValueError(
            f"there is no device '{device}' here; choose 'auto' or one of {found}"
        )
    return device
