"""Every object of an image by a network that knows cell, border and background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_iseg.arrays import Box, ImageLike, Labels, Plane, ProbabilityMap
from napari_iseg.classical.instances import Instances
from napari_iseg.intensities import ScaledImage, plane_wide
from napari_iseg.nets.own.reads import grey
from napari_iseg.segmenter import Progress, last_labels

STEP = 16  # pixels: the network pools in steps of this, tiles begin at multiples of it
MARGIN = 96  # pixels that a network like U-Net sees beyond the one it answers for


@dataclass(frozen=True, slots=True)
class Tiled:
    """A network over an image of any size, tile by tile, then a number for each cell.

    Every tile is read with ``margin`` pixels around it, beyond the image its mirror
    image (the overlap-tile strategy of U-Net), and all of them with one contrast. So
    the answer does not depend on where one tile ends and the next begins, and of a
    dask or zarr image one tile at a time is read.

    Parameters
    ----------
    net
        From grey values ``(1, 1, H, W)`` in 0..1 to logits of background, cell and
        border ``(1, 3, H, W)``; ``H`` and ``W`` are multiples of ``STEP``.
    device
        Where the network is.
    instances
        How cells are told apart.
    side
        Of a tile, in pixels; a multiple of ``STEP``.
    margin
        What the network needs to see around a tile; a multiple of ``STEP``.

    Raises
    ------
    ValueError
        If ``side`` or ``margin`` is no such multiple.
    """

    net: nn.Module
    device: str = "cpu"
    instances: Instances = field(default_factory=Instances)
    side: int = 512
    margin: int = MARGIN

    def __post_init__(self) -> None:
        for name, value in (("side", self.side), ("margin", self.margin)):
            if value % STEP or value < STEP:
                raise ValueError(
                    f"the {name} of a tile must be a multiple of {STEP}, got {value}"
                )

    def segment(self, image: ImageLike | ScaledImage) -> Labels:
        """See ``AutomaticSegmenter.segment``."""
        return last_labels(self.parts(image))

    def parts(self, image: ImageLike | ScaledImage) -> Iterator[Progress]:
        """One tile after the other; telling cells apart is the last part."""
        scaled = plane_wide(image)
        tiles = list(self.tiles(scaled))
        total = len(tiles) + 1
        cell, border = (np.zeros(scaled.grid, np.float32) for _ in range(2))
        for done, tile in enumerate(tiles, start=1):
            cell[tile.slices], border[tile.slices] = self.looked_at(scaled, tile)
            yield Progress(done, total)
        yield Progress(total, total, self.instances.of(cell, border))

    def tiles(self, image: ScaledImage) -> Iterator[Box]:
        """Boxes that cover the image without overlap, row by row."""
        height, width = image.grid
        for top, left in product(
            range(0, height, self.side), range(0, width, self.side)
        ):
            box = Box(top, left, top + self.side, left + self.side)
            yield box.clipped_to(image.grid)

    def looked_at(
        self, image: ScaledImage, tile: Box
    ) -> tuple[ProbabilityMap, ProbabilityMap]:
        """Probability of cell and of border on ``tile``, each ``tile.shape``."""
        found = self.probabilities(surroundings(image, tile, self.margin))
        middle = tuple(slice(self.margin, self.margin + one) for one in tile.shape)
        cell, border = found[1:, *middle]
        return cell, border

    @torch.inference_mode()
    def probabilities(self, pixels: Plane) -> NDArray[np.float32]:
        """Of each class, ``(3, H, W)``, for ``(H, W, 3)``."""
        colours = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        logits: Tensor = self.net(grey(colours).to(self.device))
        return logits[0].float().softmax(0).cpu().numpy()


def surroundings(image: ScaledImage, tile: Box, margin: int) -> Plane:
    """``tile``, made up to multiples of ``STEP``, and ``margin`` around it."""
    rows = mirrored(tile.top, tile.bottom, margin, image.grid[0])
    columns = mirrored(tile.left, tile.right, margin, image.grid[1])
    corner = int(rows.min()), int(columns.min())
    read = image.read(Box(*corner, int(rows.max()) + 1, int(columns.max()) + 1))
    return read[np.ix_(rows - corner[0], columns - corner[1])]


def mirrored(start: int, stop: int, margin: int, length: int) -> NDArray[np.intp]:
    """Indices of ``start - margin`` and on; beyond the image those of its mirror."""
    missing = -(stop - start) % STEP
    wanted = np.arange(start - margin, stop + missing + margin) % (2 * length)
    return np.where(wanted < length, wanted, 2 * length - 1 - wanted)
