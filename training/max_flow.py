"""How long libraries take for the cut of one image: what ``min_cut.py`` stands on.

A disc on noise, a probability that is unsure, eight neighbours: the graph of
``napari_iseg.refine.polish`` with a node for each pixel. Times are of the processor, so
that others at work on the machine change little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.classical.banded_cut import BandedCut, Energy, whole_cut
from napari_iseg.classical.grid_graph import pairs_of
from napari_iseg.classical.min_cut import UNIT
from napari_iseg.classical.scene import Scene
from napari_iseg.refine.polish import Polish

POLISH = Polish(boundary=4.0, contrast=1.0)
SLOW = 64  # pixels a side above which libraries in pure Python are not asked
REPEATS = 3  # the fastest counts

Cut = Callable[[Energy], Mask]


@dataclass(frozen=True, slots=True)
class Library:
    """One way to cut: ``needs`` is a module that has to be installed for it."""

    cut: Cut
    licence: str
    needs: str = "scipy"
    most: int | None = None  # pixels a side


def drawn(side: int, seed: int = 0) -> Energy:
    """The energy of a blurred answer for a disc, ``side`` pixels wide."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((side, side))
    away = np.hypot(rows - side / 2, columns - side / 2)
    grey = 0.3 + 0.4 * (away < side / 4) + rng.normal(0, 0.05, away.shape)
    image = np.repeat(grey[..., None], 3, 2).astype(np.float32)
    logit = (0.3 * side - away) / (0.04 * side) + rng.normal(0, 0.5, away.shape)
    scene = Scene(image, np.zeros(away.shape, np.int8))
    return POLISH.energy(scene, logit.astype(np.float32))


def arcs(
    energy: Energy,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Tails, heads and capacities; the last two nodes are source and sink."""
    pairs, count = pairs_of(energy.scene.grid), energy.evidence.size
    weight = np.rint(energy.weights * UNIT).astype(np.int64)
    cost = np.rint(energy.evidence.ravel() * UNIT).astype(np.int64)
    inside, outside = np.flatnonzero(cost > 0), np.flatnonzero(cost < 0)
    tails = (pairs.first, pairs.second, np.full(inside.size, count), outside)
    heads = (pairs.second, pairs.first, inside, np.full(outside.size, count + 1))
    room = (weight, weight, cost[inside], -cost[outside])
    return (
        np.concatenate(tails).astype(np.int32),
        np.concatenate(heads).astype(np.int32),
        np.concatenate(room),
    )


def by_or_tools(energy: Energy) -> Mask:
    from ortools.graph.python import max_flow

    tails, heads, room = arcs(energy)
    count = energy.evidence.size
    graph = max_flow.SimpleMaxFlow()
    graph.add_arcs_with_capacity(tails, heads, room)
    graph.solve(count, count + 1)
    return of_source(graph.get_source_side_min_cut(), energy)


def by_networkx(energy: Energy) -> Mask:
    import networkx as nx
    from networkx.algorithms.flow import boykov_kolmogorov

    count = energy.evidence.size
    graph = nx.DiGraph()
    rows = zip(*(part.tolist() for part in arcs(energy)), strict=True)
    graph.add_edges_from((a, b, {"capacity": c}) for a, b, c in rows)
    side, _ = nx.minimum_cut(graph, count, count + 1, flow_func=boykov_kolmogorov)[1]
    return of_source(list(side), energy)


def of_source(nodes: Sequence[int], energy: Energy) -> Mask:
    label = np.zeros(energy.evidence.size + 2, bool)
    label[list(nodes)] = True
    return label[:-2].reshape(energy.scene.grid)


def polished(energy: Energy) -> Mask:
    """As polishing does: only what neighbours could change; banded if that is much."""
    return POLISH.labelled(energy.scene, energy.evidence)


def banded(energy: Energy) -> Mask:
    """As the classical methods do on large images: not quite exact."""
    return BandedCut()(energy.scene, energy.evidence, POLISH.energy)


LIBRARIES: Mapping[str, Library] = {
    "scipy, every pixel": Library(whole_cut, "BSD"),
    "scipy, undecided pixels, banded if they are many (polish)": Library(
        polished, "BSD"
    ),
    "scipy, small then banded (graph-cut)": Library(banded, "BSD"),
    "OR-tools, every pixel": Library(by_or_tools, "Apache-2.0", "ortools"),
    "networkx, every pixel": Library(by_networkx, "BSD", "networkx", SLOW),
}


def measured(sides: Sequence[int]) -> str:
    """Processor milliseconds of each library, as Markdown."""
    titles = " | ".join(f"{side} x {side}" for side in sides)
    lines = [
        f"| cut by | licence | {titles} | pixels unlike scipy's |",
        "| --- | --- |" + " ---: |" * (len(sides) + 1),
    ]
    energies = [drawn(side) for side in sides]
    exact = [whole_cut(energy) for energy in energies]
    for title, library in LIBRARIES.items():
        cells, unlike = [], 0
        for energy, truth in zip(energies, exact, strict=True):
            if not find_spec(library.needs):
                cells.append("not installed")
            elif max(energy.scene.grid) > (library.most or max(energy.scene.grid)):
                cells.append("-")
            else:
                found, seconds = fastest(partial(library.cut, energy))
                unlike += int((found != truth).sum())
                cells.append(f"{seconds * 1e3:.0f} ms")
        row = [title, library.licence, *cells, f"{unlike}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def fastest(cut: Callable[[], Mask]) -> tuple[Mask, float]:
    """The answer and the shortest of some times, seconds of the processor."""
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        found = cut()
        times.append(time.process_time() - began)
    return found, min(times)
