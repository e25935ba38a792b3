"""How long answers took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from napari_iseg.click_curve import ClickCurve

Series: TypeAlias = Sequence[tuple[float, ...]]  # seconds; one tuple for each object


@dataclass(frozen=True, slots=True)
class Timing:
    """Median, 95th percentile and mean of a kind of answers, in milliseconds."""

    median: float
    p95: float
    mean: float


def timing(seconds: Sequence[float]) -> Timing:
    """Of one kind of answers.

    Raises
    ------
    ValueError
        If there is no answer.
    """
    if not seconds:
        raise ValueError("there is no answer whose time was taken")
    ms = np.asarray(seconds) * 1e3
    return Timing(
        float(np.median(ms)), float(np.percentile(ms, 95)), float(np.mean(ms))
    )


def timings(series: Series) -> dict[str, Timing]:
    """``first``, ``later`` and ``every`` answer; empty if no time was taken.

    The first answer to an object also looks at the image. Where each object has one
    answer only, it also stands for the later ones.
    """
    first = [times[0] for times in series if times]
    if not first:
        return {}
    later = [seconds for times in series for seconds in times[1:]] or first
    every = [seconds for times in series for seconds in times]
    kinds = {"first": first, "later": later, "every": every}
    return {kind: timing(seconds) for kind, seconds in kinds.items()}


def wall_timings(curves: Sequence[ClickCurve]) -> dict[str, Timing]:
    """Time on the clock."""
    return timings([curve.seconds for curve in curves])


def cpu_timings(curves: Sequence[ClickCurve]) -> dict[str, Timing]:
    """Time of the processor, all threads together; empty in older result files."""
    return timings([curve.cpu_seconds for curve in curves])
