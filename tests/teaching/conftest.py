"""A tiny network that knows nothing, and planes of bright cells to teach it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_iseg.intensities import ScaledImage
from napari_iseg.nets.cells_net import CellsNet
from napari_iseg.teaching.lesson import LessonPlane
from tests.training.conftest import drawn_image


@pytest.fixture(autouse=True)
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for taught weights."""
    folder = tmp_path / "taught"
    monkeypatch.setenv("NAPARI_ISEG_TAUGHT", str(folder))
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Random ones, of four channels: kernels in half precision, as those that ship."""
    torch.manual_seed(0)
    state = CellsNet(width=4).state_dict()
    path = tmp_path / "tiny.safetensors"
    tensors = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    save_file(tensors, path)
    return path


def plane_of_cells(name: str = "cells", seed: int = 1) -> LessonPlane:
    """Six bright discs of 8 to 15 pixels radius."""
    drawn = drawn_image(name, seed)
    return LessonPlane(name, ScaledImage(drawn.image), drawn.labels.astype(np.int32))
