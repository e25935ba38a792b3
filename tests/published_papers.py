"""The papers' networks with random weights, as if they had come with the package."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from napari_iseg import catalog, weights
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.description import Description
from napari_iseg.weights import WeightsCard, sha256_of, write_card
from tests.nets.papers.measures import awake
from tests.tiny_papers import ARGUMENTS, NARROW


def publish(
    folder: Path, monkeypatch: pytest.MonkeyPatch, modules: Iterable[ModuleType]
) -> None:
    """All six are in the ``ENTRIES`` of ``modules``, with weights in ``folder``."""
    shipped = weights._packaged
    for name in NETWORKS:
        write_weights(name, folder)

    def packaged(name: str) -> Path:
        return folder / name if (folder / name).is_file() else shipped(name)

    monkeypatch.setattr(weights, "_packaged", packaged)
    entries = {**catalog.ENTRIES, **{name: entry_of(name) for name in NETWORKS}}
    for module in modules:
        monkeypatch.setattr(module, "ENTRIES", entries)


def entry_of(name: str) -> catalog.Entry:
    return catalog.Entry(
        name=name,
        title=name,
        paper="",
        build=f"napari_iseg.refine.papers:{name.replace('-', '_')}",
        card=name,
        obeys=False,
    )


def write_weights(name: str, folder: Path) -> Path:
    """The weights file, and its card beside it."""
    kind = Description(name, {"width": NARROW, **ARGUMENTS.get(name, {})})
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_file(awake(kind.build()).state_dict(), path, metadata=kind.metadata())
    card = WeightsCard(
        file=path.name,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        licence="BSD-3-Clause",
        trained_on=("dsb2018",),
        recipe=f"{name}, untrained, 0 steps",
        revision="none",
    )
    write_card(path.with_suffix(".json"), card)
    return path
