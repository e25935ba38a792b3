"""Whether this installation works: versions, devices, and one real click."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.catalog import load_segmenter
from napari_iseg.clicks import Clicks
from napari_iseg.segmenter import Segmenter

PACKAGES = (
    "napari-iseg",
    "numpy",
    "scipy",
    "scikit-image",
    "opencv-python-headless",
    "safetensors",
    "tifffile",
    "torch",
    "torchvision",
    "napari",
)
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")
IOU_TO_PASS = 0.7


@dataclass(frozen=True, slots=True)
class SelfTest:
    """One click on a drawn cell: IoU in 0..1 and milliseconds, the first time too."""

    iou: float
    first_milliseconds: float
    milliseconds: float

    @property
    def is_passed(self) -> bool:
        return self.iou >= IOU_TO_PASS

    def __str__(self) -> str:
        verdict = "ok" if self.is_passed else f"FAILED, below {IOU_TO_PASS}"
        return (
            f"one click on a drawn cell: IoU {self.iou:.2f} ({verdict}), "
            f"{self.milliseconds:.0f} ms ({self.first_milliseconds:.0f} ms at first)"
        )


def versions() -> dict[str, str]:
    """Package -> version, or "not installed"."""
    found = {"python": f"{platform.python_version()} on {platform.platform()}"}
    found.update((name, _version(name)) for name in PACKAGES)
    bindings = [f"{name} {_version(name)}" for name in QT_BINDINGS if _is_there(name)]
    return found | {"Qt": ", ".join(bindings) or "not installed"}


def devices() -> Iterator[str]:
    """What a network can run on, one line each; says so if torch does not work."""
    try:
        import torch
    except (ImportError, OSError) as problem:
        yield f"none: torch cannot be imported ({problem})"
        return
    yield f"cpu: {torch.get_num_threads()} threads"
    for index in range(torch.cuda.device_count()):
        yield f"cuda:{index}: {torch.cuda.get_device_name(index)}"
    if torch.backends.mps.is_available():
        yield "mps"


def drawn_cell(seed: int = 0) -> tuple[NDArray[np.uint16], Mask]:
    """A bright ellipse with a soft edge and noise, beside another, and its pixels."""
    rows, columns = np.indices((256, 256))
    target = _ellipse(rows, columns, (120, 110), (34, 24))
    neighbour = _ellipse(rows, columns, (190, 200), (22, 30))
    rng = np.random.default_rng(seed)
    body = 1 / (1 + np.exp(-12 * (1 - np.minimum(target, neighbour))))
    image = 900 + 0.8 * rows + 2600 * body + rng.normal(0, 120, rows.shape)
    return image.astype(np.uint16), target < 1


def self_test(segmenter: Segmenter) -> SelfTest:
    """Click once on a drawn cell, twice over: the first time is often slower."""
    image, truth = drawn_cell()
    clicks = Clicks.at(positive=[(120, 110)])
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        probability = segmenter.prepare(image).predict(clicks)
        seconds.append(time.perf_counter() - start)
    found = probability > 0.5
    iou = (found & truth).sum() / (found | truth).sum()
    return SelfTest(float(iou), seconds[0] * 1000, seconds[1] * 1000)


def examine(method: str = "cells", device: str = "auto") -> bool:
    """Print all of it; whether the self-test passed."""
    for name, found in versions().items():
        print(f"{name:24}{found}")
    for line in devices():
        print(f"{'device':24}{line}")
    try:
        result = self_test(load_segmenter(method, device=device))
    except (ValueError, ImportError, OSError, RuntimeError) as problem:
        print(f"{'self-test':24}{method}: FAILED: {problem}")
        return False
    print(f"{'self-test':24}{method}: {result}")
    return result.is_passed


def _ellipse(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    centre: tuple[int, int],
    radii: tuple[int, int],
) -> NDArray[np.float64]:
    """0 in the centre, 1 on the outline."""
    down, right = (rows - centre[0]) / radii[0], (columns - centre[1]) / radii[1]
    distance: NDArray[np.float64] = np.hypot(down, right)
    return distance


def _is_there(name: str) -> bool:
    return _version(name) != "not installed"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
