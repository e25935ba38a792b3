"""Bilinear enlargement by a whole factor, aligned with pooling that keeps odd edges."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def enlarged(
    features: Tensor, factor: int, size: tuple[int, int], start: int = 0
) -> Tensor:
    """A window of ``features`` enlarged ``factor`` times.

    A cell covers ``factor`` pixels, as after poolings, and is exact in their middle: so
    does a fixed bilinear deconvolution (Long et al., CVPR 2015, 3.3). At the border the
    last cell goes on; a deconvolution would fade to zero there.

    Parameters
    ----------
    features
        ``(B, C, h, w)``.
    size
        Height and width of the answer, in pixels.
    start
        First row and first column of it, in pixels.

    Returns
    -------
    ``(B, C, *size)``.
    """
    first = max(0, start // factor - 1)  # a cell more on each side is enough
    last = [-(-(start + side) // factor) + 1 for side in size]
    cells = features[..., first : last[0], first : last[1]]
    if factor > 1:
        cells = F.interpolate(
            cells, scale_factor=factor, mode="bilinear", align_corners=False
        )
    begin = start - first * factor
    return cells[..., begin : begin + size[0], begin : begin + size[1]]
