"""Where torchvision's ImageNet weights are, and what to do where they cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_iseg.weights import sha256_of


def imagenet_tensors(weights: Any) -> Mapping[str, Tensor]:
    """Tensors by torchvision's names; downloaded once into torch's hub folder.

    Parameters
    ----------
    weights
        A member of one of torchvision's tables, say ``VGG16_Weights.IMAGENET1K_V1``.

    Raises
    ------
    ValueError
        If the file is not there and cannot be downloaded, or is damaged.
    """
    path = imagenet_file(weights)
    if not path.is_file():
        _download(weights.url, path)
    expected = path.stem.rpartition("-")[2]  # torchvision names files by their hash
    if not sha256_of(path).startswith(expected):
        raise ValueError(
            f"{path} is damaged: its sha256 does not begin with {expected}; delete it "
            f"and try again, or put {weights.url} there"
        )
    tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return tensors


def imagenet_file(weights: Any) -> Path:
    """Where ``imagenet_tensors`` looks for the file; it need not exist."""
    name = str(weights.url).rpartition("/")[2]
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def whole(width: float) -> None:
    """Refuse pretrained weights for a network of another size than the paper's.

    Raises
    ------
    ValueError
        If ``width`` is not 1.
    """
    if width != 1:
        raise ValueError(
            f"ImageNet weights fit only width=1.0, not width={width}; leave "
            "pretrained=False to start from random weights"
        )


def _download(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path), progress=False)
    except OSError as problem:  # what urllib raises is one, too
        raise ValueError(
            f"could not download {path.name} ({problem}); download {url} elsewhere and "
            f"put it at {path}"
        ) from problem
