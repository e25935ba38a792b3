"""Saved click logs as layers: what napari's Open does with ``*.iseg.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]


def log_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The reader for ``path``; None if it is no click log by its name."""
    paths = [path] if isinstance(path, str | Path) else list(path)
    return read_layers if all(str(p).endswith(".iseg.json") for p in paths) else None


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Labels of the objects and points of the clicks of each log.

    The dock's "Open clicks…" goes on with a log instead of only showing it.

    Raises
    ------
    ValueError
        If a file is no click log, or damaged.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    return [layer for one in paths for layer in _layers_of(Path(one))]


def _layers_of(path: Path) -> list[LayerData]:
    from napari_iseg.click_log import read_log
    from napari_iseg.gui.own_layers import BLUE, VERMILLION

    session = read_log(path).session()
    stem = path.name.removesuffix(".iseg.json")
    every = [*(one.clicks for one in session.objects.values()), session.clicks]
    clicks = [click for one in every for click in one]
    layers: list[LayerData] = [
        (session.labels(), {"name": f"{stem} objects"}, "labels")
    ]
    for is_positive, title, symbol, color in (
        (True, "positive", "disc", BLUE),
        (False, "negative", "x", VERMILLION),
    ):
        places = [(c.row, c.column) for c in clicks if c.is_positive is is_positive]
        look = {"name": f"{stem} {title}", "symbol": symbol, "face_color": color}
        layers.append((np.array(places, float).reshape(-1, 2), look, "points"))
    return layers
