"""One click at the outline is a word about the whole outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from napari_iseg.clicks import Click
from napari_iseg.segmenter import Patch

SURE = 1e-5  # keeps logits finite


def levelled(new: Patch, old: Patch, click: Click, most: float, share: float) -> Patch:
    """``new`` with all logits moved by a share of what ``old`` lacked at the click.

    Annotators draw the same cell a little wider or narrower, and no image tells which.
    A click that ``old`` contradicts by at most ``most`` logits lies at the outline: the
    level that should have been the outline is known then, and taken everywhere: a
    share of it, since robots and people click where the outline is worst. This is
    f-BRS's bias with one parameter and no optimisation. Clicks that are contradicted
    more clearly are about a part, not about the level: they move nothing here.
    """
    before = np.array([old.at(click.row, click.column)], np.float32)
    lacking = -float(logits(before)[0])
    agrees = (lacking < 0) == click.is_positive
    if agrees or abs(lacking) > most:
        return new
    moved = logits(new.probability) + np.float32(share * lacking)
    return Patch(expit(moved), new.offset)


def logits(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds, finite for 0 and 1, too."""
    clipped = np.clip(probability, SURE, 1 - SURE)
    return np.asarray(np.log(clipped / (1 - clipped)))
