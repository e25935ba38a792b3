"""The smallest folder of data sets that ``cells`` can be trained and judged on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2

from tests.training.conftest import drawn_image
from training.sources import CELL_SETS

SETS = ("dsb2018", "usiigaci")  # trained on; the second holds out an image
WITHOUT = tuple(name for name in CELL_SETS if name not in SETS)
SMALL = (
    "width=8",
    "batch=4",
    "warm_up=2",
    "validate=0",
    "validated=4",
    "clicked=2",
    "samples.side=32",
    "samples.canvas=80",
    f"without={WITHOUT!r}",
)


def write_images(folder: Path, number: int, seed: int = 0) -> None:
    """``number`` drawn images with their labels."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for at in range(number):
        image = drawn_image(f"field{at}", seed + at)
        cv2.imwrite(str(folder / "images" / f"{image.name}.png"), image.image)
        cv2.imwrite(str(folder / "labels" / f"{image.name}.png"), image.labels)


def write_sets(root: Path) -> Path:
    """Two training sets and two that nothing is trained on; ``root``."""
    write_images(root / "cells/dsb2018/train", 2)
    write_images(root / "cells/usiigaci/train", CELL_SETS["usiigaci"][1], seed=10)
    write_images(root / "cells/dsb2018/val", 1, seed=30)
    write_images(root / "cells/yeast_phase_lifecycle/train", 1, seed=40)
    return root


def command(*arguments: str, settings: tuple[str, ...] = SMALL) -> list[str]:
    """``python -m training`` with the small settings."""
    chosen = [word for one in settings for word in ("--set", one)]
    return [sys.executable, "-m", "training", *arguments, *chosen]


def environment(root: Path) -> Mapping[str, str]:
    """For a process of its own: the data, and one thread."""
    return {**os.environ, "ISEG_DATA": str(root), "OMP_NUM_THREADS": "1"}
