"""Two small labelled images, drawn: bright cells on a dark ground."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.images import LabelledImage


def drawn_image(name: str, seed: int, side: int = 160) -> LabelledImage:
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint16)
    for label in range(1, 7):
        place = np.array([(label - 1) % 3, (label - 1) // 3]) * 50 + 28
        at = tuple(int(v) for v in place + rng.integers(-6, 7, 2))
        cv2.circle(labels, at, int(rng.integers(8, 16)), label, -1)
    image = rng.normal(40, 5, labels.shape) + 120 * (labels > 0)
    return LabelledImage(name, np.clip(image, 0, 255).astype(np.uint8), labels)


@pytest.fixture
def images() -> list[LabelledImage]:
    return [drawn_image("one", 1), drawn_image("two", 2)]


@pytest.fixture
def folder(tmp_path: Path, images: list[LabelledImage]) -> Path:
    """The two images as a data set on disk."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for image in images:
        cv2.imwrite(str(tmp_path / "images" / f"{image.name}.png"), image.image)
        cv2.imwrite(str(tmp_path / "labels" / f"{image.name}.png"), image.labels)
    return tmp_path
