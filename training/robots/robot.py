"""What a robot user promises."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask

Rng = np.random.Generator


class RobotUser(Protocol):
    """A user who knows the truth."""

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        """Where the user clicks next; None if no wrong pixel is left to click.

        All masks ``(H, W)``; ``ignored`` pixels are never wrong and never clicked. The
        same ``rng`` state gives the same click.
        """
        ...
