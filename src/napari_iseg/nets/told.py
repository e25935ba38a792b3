"""What a network can be told about a window, and how ``cells`` has it drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask
from napari_iseg.click_maps import disc_map
from napari_iseg.clicks import Click, Clicks
from napari_iseg.windows import Window

GUIDES = 4  # positive discs, negative discs, previous probability, other objects


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Clicks, the answer so far and other objects, all as seen in one window.

    Attributes
    ----------
    window
        Which part of the image.
    clicks
        Those in the window, oldest first; in pixels of the image.
    previous
        ``(N, N)``, 0..1: the answer so far; None if there is none.
    others
        ``(N, N)``, true on objects that are accepted already; None if there are none.
    """

    window: Window
    clicks: tuple[Click, ...]
    previous: NDArray[np.float32] | None = None
    others: Mask | None = None

    def in_window(self) -> Clicks:
        """The clicks as pixels of the window, for networks that draw whole pixels."""
        return Clicks(tuple(self._placed(click) for click in self.clicks))

    def _placed(self, click: Click) -> Click:
        last = self.window.side - 1
        row, column = (min(max(round(v), 0), last) for v in self.window.point(click))
        return Click(row, column, click.is_positive)


def guides(told: Sequence[Told], radius: float) -> NDArray[np.float32]:
    """As ``cells`` reads it, ``(B, 4, N, N)`` in 0..1; windows have one side.

    ``radius`` of the discs in window pixels; their middles lie between pixels, too.
    """
    side = told[0].window.side
    maps = np.zeros((len(told), GUIDES, side, side), np.float32)
    for drawn, one in zip(maps, told, strict=True):
        for channel, is_positive in enumerate((True, False)):
            points = [
                one.window.point(click)
                for click in one.clicks
                if click.is_positive == is_positive
            ]
            drawn[channel] = disc_map(points, (side, side), radius)
        if one.previous is not None:
            drawn[2] = one.previous
        if one.others is not None:
            drawn[3] = one.others
    return maps
