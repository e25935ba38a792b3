"""Which intensities become black and white for a method: the user's choices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from napari_iseg.arrays import ImageLike
from napari_iseg.intensities import (
    DtypeRange,
    GivenLimits,
    Intensities,
    Percentiles,
    Unscaled,
)


class IntensityRule(Enum):
    """How to find the limits; the values are what preferences store."""

    WINDOW = "percentiles of window"  # around the clicks: each its own contrast
    PLANE = "percentiles of plane"
    VOLUME = "percentiles of volume"
    CONTRAST = "layer contrast limits"
    DTYPE = "dtype range"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class IntensityChoice:
    """A rule and, for the layer's contrast limits, what they were when it was made."""

    rule: IntensityRule = IntensityRule.WINDOW
    limits: tuple[float, float] = (0.0, 1.0)

    def resolved(self, plane: ImageLike, volume: ImageLike) -> Intensities:
        """What the library understands; reads pixels only if the rule asks for them.

        Slow for a lazy volume: call it where waiting is allowed.
        """
        if self.rule is IntensityRule.PLANE:
            return _percentiles_of(plane)
        if self.rule is IntensityRule.VOLUME:
            return _percentiles_of(volume)
        if self.rule is IntensityRule.CONTRAST:
            return GivenLimits(*self.limits)
        return _SIMPLE[self.rule]


_SIMPLE: dict[IntensityRule, Intensities] = {
    IntensityRule.WINDOW: Percentiles(),
    IntensityRule.DTYPE: DtypeRange(),
    IntensityRule.NONE: Unscaled(),
}


def _percentiles_of(array: ImageLike) -> Intensities:
    try:
        return GivenLimits.of(array)
    except ValueError:  # constant: the method itself has a sentence about it
        return Percentiles()
