"""Features of regions, each on the same number of cells (ROI alignment)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor

from napari_iseg.arrays import Box
from napari_iseg.nets.papers.deeplab import STRIDE


def features_of(cells: Tensor, boxes: Sequence[Box], side: int) -> Tensor:
    """``(R, C, side, side)`` of ``cells`` ``(C, h, w)``, one in STRIDE pixels.

    What torchvision's ``roi_align(aligned=True)`` gives for boxes inside of the image,
    as two matrices for each region. Its derivative took a third of the time of training
    on a processor, and its sums have no fixed order on a GPU.

    Parameters
    ----------
    boxes
        In pixels; cell i lies on pixel ``STRIDE * i``.
    """
    height, width = cells.shape[-2:]
    if not boxes:
        return cells.new_zeros(0, cells.shape[0], side, side)
    down = [samples(box.top, box.bottom, height, side) for box in boxes]
    across = [samples(box.left, box.right, width, side) for box in boxes]
    rows, columns = (torch.stack(some).to(cells) for some in (down, across))
    return rows[:, None] @ (cells @ columns[:, None].mT)


def samples(first: int, after: int, cells: int, side: int) -> Tensor:
    """Weights ``(side, cells)`` of cells in the parts of a stretch of pixels.

    As in ROI alignment a part is the mean of bilinear samples at equal distances, less
    than a cell from each other.
    """
    count = ceil((after - first) / STRIDE / side)
    middles = (torch.arange(side * count) + 0.5) / (side * count)
    # A pixel is a square around its coordinate, and so is a cell.
    at = (first - 0.5 + middles * (after - first)) / STRIDE
    away = (at.clamp(0, cells - 1)[:, None] - torch.arange(cells)).abs()
    return (1 - away).clamp_min(0).unflatten(0, (side, count)).mean(1)
