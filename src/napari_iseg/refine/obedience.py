"""The guarantee that every clicked pixel carries its label, by a local correction."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from napari_iseg.arrays import Box, Grid
from napari_iseg.clicks import Click, Clicks
from napari_iseg.segmenter import Patch

MARGIN = 0.2  # logit: how clearly a corrected pixel lies on its side of 0.5
REACH = 6.0  # pixels: the correction fades to nothing within this distance


def obeying(patch: Patch, clicks: Clicks, grid: Grid) -> Patch:
    """``patch`` with every clicked pixel on the side of 0.5 that its click asked for.

    A pixel that disagrees lifts (or lowers) the logits around it by a cone that
    reaches at most half way to the nearest click of the other kind, so the new
    boundary follows the levels of the old answer. Patches grow to hold a positive
    click outside of them. Where all clicks are satisfied the same patch comes back.
    Later clicks are seen to last: they win where two disagree about one pixel.
    """
    for click in clicks:
        if (patch.at(click.row, click.column) > 0.5) != click.is_positive:
            patch = corrected(grown(patch, click, grid), click, reach(click, clicks))
    return patch


def reach(click: Click, clicks: Clicks) -> float:
    """Half the way to the nearest click of the other kind, at most ``REACH``."""
    rivals = [
        np.hypot(click.row - c.row, click.column - c.column)
        for c in clicks
        if c.is_positive != click.is_positive
    ]
    return max(1.0, min([REACH, *(float(r) / 2 for r in rivals)]))


def grown(patch: Patch, click: Click, grid: Grid) -> Patch:
    """The patch, enlarged with zeros so that the click's surroundings fit in."""
    margin = int(REACH)
    around = Box(
        click.row - margin,
        click.column - margin,
        click.row + margin + 1,
        click.column + margin + 1,
    ).clipped_to(grid)
    box = patch.box.union(around)
    if box == patch.box:
        return patch
    larger = np.zeros(box.shape, np.float32)
    larger[patch.box.moved(-box.top, -box.left).slices] = patch.probability
    return Patch(larger, (box.top, box.left))


def corrected(patch: Patch, click: Click, radius: float) -> Patch:
    """The patch with a cone added to the logits around one click."""
    row, column = click.row - patch.offset[0], click.column - patch.offset[1]
    r = int(np.ceil(radius))
    rows = slice(max(0, row - r), row + r + 1)
    columns = slice(max(0, column - r), column + r + 1)
    down = np.arange(rows.start, min(rows.stop, patch.probability.shape[0])) - row
    across = (
        np.arange(columns.start, min(columns.stop, patch.probability.shape[1])) - column
    )
    away = np.hypot(down[:, None], across[None, :])
    cone = np.clip(1 - away / radius, 0, 1).astype(np.float32)
    near = np.clip(patch.probability[rows, columns], 1e-4, 1 - 1e-4)
    logits = np.log(near / (1 - near))
    wanted = MARGIN if click.is_positive else -MARGIN
    lift = wanted - float(logits[row - rows.start, column - columns.start])
    probability = patch.probability.copy()
    lifted = expit(logits + lift * cone)
    probability[rows, columns] = np.where(
        cone > 0, lifted, patch.probability[rows, columns]
    )
    return Patch(probability, patch.offset)
