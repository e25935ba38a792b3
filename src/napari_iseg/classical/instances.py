"""From what is cell and what is border to one number for each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from napari_iseg.arrays import EVERYWHERE, Labels, Mask, ProbabilityMap


@dataclass(frozen=True, slots=True)
class Instances:
    """Where one cell ends and the next begins.

    What is certainly inside a cell, connected, is the seed of one object; watershed
    shares the rest of the foreground among the seeds. A part of the foreground without
    a seed is one object; what is nowhere the inside of a cell for certain is none.

    Attributes
    ----------
    foreground
        Pixels with a higher probability of cell or border belong to an object.
    inside
        Pixels with a higher probability of cell, borders left out, are seeds.
    certain
        What has no pixel of a higher probability of cell is no object: debris and
        shadows.
    smallest_seed
        Seeds of fewer pixels are noise.
    smallest_area
        Objects of fewer pixels are dust.
    """

    foreground: float = 0.5
    inside: float = 0.5
    certain: float = 0.9
    smallest_seed: int = 12
    smallest_area: int = 30

    def of(self, cell: ProbabilityMap, border: ProbabilityMap) -> Labels:
        """Number the objects.

        Parameters
        ----------
        cell, border
            ``(H, W)``, 0..1: probability of the inside of a cell, and of the border
            between cells; the rest to 1 is background.

        Returns
        -------
        ``(H, W)``: 1, 2, ... on the objects, upper ones first; else 0.
        """
        parts, _ = ndimage.label(cell + border > self.foreground, EVERYWHERE)
        labels = np.zeros(parts.shape, np.int32)
        count = 0
        for number, box in enumerate(ndimage.find_objects(parts), start=1):
            mask = parts[box] == number
            shared = self._shared(cell[box], mask)
            labels[box][mask] = shared[mask] + count
            count += int(shared.max())
        surest = ndimage.maximum(cell, labels, np.arange(count + 1))
        labels[(np.asarray(surest) <= self.certain)[labels]] = 0
        return numbered(labels, self.smallest_area)

    def _shared(self, cell: ProbabilityMap, mask: Mask) -> Labels:
        """One connected part: 1, 2, ... on its cells, 0 outside of ``mask``."""
        seeds, _ = ndimage.label((cell > self.inside) & mask)
        seeds = numbered(seeds, self.smallest_seed)
        if seeds.max() <= 1:
            return mask.astype(np.int32)
        shared: Labels = watershed(-cell, seeds, mask=mask)  # type: ignore[no-untyped-call]  # skimage
        return shared


def numbered(parts: Labels, smallest_area: int) -> Labels:
    """``(H, W)``: parts of enough pixels as 1, 2, ... in their order; else 0."""
    sizes = np.bincount(parts.ravel())
    kept = sizes >= smallest_area
    kept[0] = False
    numbers = np.cumsum(kept) * kept
    return numbers[parts].astype(np.int32)
