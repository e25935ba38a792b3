"""When a run has been at its best: judged by a robot's clicks, not by the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """The best look at the held-out objects so far.

    Attributes
    ----------
    clicks
        The mean of the clicks to 85 % and to 90 %; a failure counts as 20.
    first
        Mean IoU after one click: what decides between equal clicks, as in a young run
        that never reaches 85 %. Of a network without clicks, its mean IoU.
    looks
        How many looks ago that was.
    """

    clicks: float = float("inf")
    first: float = 0.0
    looks: int = 0

    def after(self, row: Mapping[str, float]) -> Marks:
        """The marks after one more look; ``row`` as ``training.metrics.summary``."""
        clicks, first = (row["noc85"] + row["noc90"]) / 2, row["iou@1"]
        if (clicks, -first) < (self.clicks, -self.first):
            return Marks(clicks, first)
        return Marks(self.clicks, self.first, self.looks + 1)

    def after_iou(self, iou: float) -> Marks:
        """The marks after a look at a network without clicks: its IoU decides."""
        never = float("inf")
        return self.after({"noc85": never, "noc90": never, "iou@1": iou})

    @property
    def is_newest_best(self) -> bool:
        return self.looks == 0

    def is_over(self, patience: int) -> bool:
        """Whether ``patience`` looks brought nothing; never with patience 0."""
        return 0 < patience <= self.looks
