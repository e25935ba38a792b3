"""L-BFGS that stops when the user is content: bounded, cancellable, and it says why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

CORRECTIONS = 20  # steps that L-BFGS remembers (the released code of BRS)
SEARCHED = 4  # evaluations for each iteration, in the mean, after which it is enough
LOOKS = 10  # evaluations of one iteration at most
LEAST = 1e-12  # slope below which there is nowhere to go

Values: TypeAlias = NDArray[np.float64]
End: TypeAlias = Literal["content", "iterations", "time", "minimum"]


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The user did not want to wait; nothing was remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a refinement may go on; it ends at what comes first.

    The bound on time is there for slow machines: where it strikes, the answer depends
    on the machine.
    """

    iterations: int = 20
    seconds: float = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Where it ended and how it got there.

    Attributes
    ----------
    values
        At the end.
    energies
        At the start and after each accepted step; they never rise.
    evaluations
        How often energy and slope were computed.
    end
        Why it stopped: the user is content, too many iterations, too much time, or
        nothing better was near.
    """

    values: Values
    energies: tuple[float, ...]
    evaluations: int
    end: End


@dataclass(frozen=True, slots=True)
class Landscape:
    """Energy and slope at some values, and whether the user would be content there."""

    slope: Callable[[Values], tuple[float, Values]]
    is_content: Callable[[Values], bool]


class Journey:
    """One descent on its way."""

    def __init__(
        self, land: Landscape, bounds: Bounds, is_cancelled: Callable[[], bool]
    ) -> None:
        self.land, self.bounds, self.is_cancelled = land, bounds, is_cancelled
        self.until = time.monotonic() + bounds.seconds
        self.end: End = "minimum"
        self.energies: list[float] = []
        self.evaluations = 0

    def measure(self, values: Values) -> tuple[float, Values]:
        if self.is_cancelled():
            raise Cancelled
        self.evaluations += 1
        energy, slope = self.land.slope(values)
        if not self.energies:
            self.energies.append(energy)
        return energy, slope

    def accept(self, intermediate_result: OptimizeResult) -> None:
        """After each iteration; the argument's name is scipy's wish."""
        self.energies.append(float(intermediate_result.fun))
        if self.land.is_content(intermediate_result.x):
            self.end = "content"
        elif len(self.energies) > self.bounds.iterations:
            self.end = "iterations"
        elif time.monotonic() > self.until:
            self.end = "time"
        else:
            return
        raise StopIteration


def descended(
    land: Landscape,
    start: Values,
    bounds: Bounds,
    is_cancelled: Callable[[], bool],
    least_gain: float = 0.0,
) -> Descent:
    """Walk down from ``start`` until the user is content or a bound is reached.

    An iteration that gains less than ``least_gain``, of the energy or of 1 if that is
    more, is the last one: nothing better is near.

    Raises
    ------
    Cancelled
        As soon as ``is_cancelled`` says so.
    """
    if land.is_content(start):
        return Descent(start, (), 0, "content")
    journey = Journey(land, bounds, is_cancelled)
    options: dict[str, Any] = {
        "maxcor": CORRECTIONS,
        "maxiter": bounds.iterations + 1,
        "maxfun": SEARCHED * bounds.iterations,
        "maxls": LOOKS,
        "ftol": least_gain,
        "gtol": LEAST,
    }
    found = minimize(
        journey.measure,
        start,
        method="L-BFGS-B",
        jac=True,
        callback=journey.accept,
        options=options,
    )
    end = journey.end
    if end == "minimum" and journey.evaluations >= options["maxfun"]:
        end = "iterations"
    return Descent(found.x, tuple(journey.energies), journey.evaluations, end)
