"""ITIS's iterative training: one more click an epoch, on the last epoch's errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from training.robots import Itis, RobotUser
from training.simulated_clicks.ifcn import ITIS
from training.simulated_clicks.places import Rng

RESET = 0.3  # p_r, section 4.2


class Plan(Protocol):
    """Where a first round of clicks comes from: ``Ifcn`` or ``Medoids``."""

    def clicks(self, truth: Mask, others: list[Mask], rng: Rng) -> Clicks: ...


@dataclass(slots=True)
class Lagged:
    """What every object of a training set was clicked on, and answered, an epoch ago.

    With probability ``reset``, or if nothing is known, an object gets fresh clicks;
    otherwise the robot adds a single one that corrects what was answered when the
    object came last. No gradient goes through a click.
    """

    fresh: Plan = ITIS
    robot: RobotUser = field(default_factory=Itis)
    reset: float = RESET
    clicked: dict[str, Clicks] = field(default_factory=dict)
    answered: dict[str, NDArray[np.uint8]] = field(default_factory=dict)  # packed

    def clicks(self, name: str, truth: Mask, others: list[Mask], rng: Rng) -> Clicks:
        """The clicks of object ``name`` in this epoch. Masks ``(H, W)``.

        The object must look the same each time: crops are a function of its name.
        """
        answered = self.answered.get(name)
        if answered is None or rng.random() < self.reset:
            chosen = self.fresh.clicks(truth, others, rng)
        else:
            chosen = self.corrected(self.clicked[name], truth, answered, rng)
        self.clicked[name] = chosen
        return chosen

    def corrected(
        self, clicks: Clicks, truth: Mask, answered: NDArray[np.uint8], rng: Rng
    ) -> Clicks:
        bits = np.unpackbits(answered, count=truth.size)
        predicted = bits.astype(bool).reshape(truth.shape)
        click = self.robot.next_click(truth, predicted, clicks, rng)
        return clicks if click is None else clicks.adding(click)

    def remember(self, name: str, predicted: Mask) -> None:
        """Keep what the network answered; for the next epoch."""
        self.answered[name] = np.packbits(predicted)

    def state(self) -> dict[str, Any]:
        """For a checkpoint: tensors and numbers alone."""
        places = {
            name: [[c.row, c.column, int(c.is_positive)] for c in clicks]
            for name, clicks in self.clicked.items()
        }
        packed = {name: torch.from_numpy(bits) for name, bits in self.answered.items()}
        return {"clicked": places, "answered": packed}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.clicked = {
            name: Clicks(tuple(Click(r, c, bool(p)) for r, c, p in places))
            for name, places in state["clicked"].items()
        }
        self.answered = {name: bits.numpy() for name, bits in state["answered"].items()}
