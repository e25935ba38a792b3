"""The objects of a Labels layer, plane by plane of the image that it lies on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from napari_iseg.gui.engine import Sight
from napari_iseg.gui.intensity_choice import IntensityChoice
from napari_iseg.gui.planes import (
    ChannelChoice,
    LayerPlane,
    PlaneIndex,
    full_resolution,
    layer_shape,
    plane_image,
)
from napari_iseg.own_data import OwnPlane
from napari_iseg.segmented_objects import objects_of


@dataclass(frozen=True, slots=True)
class LabelledStack:
    """An image layer and a Labels layer on it; ``shown`` tells rows and columns."""

    image: Any
    labels: Any
    shown: PlaneIndex
    channels: ChannelChoice
    intensities: IntensityChoice

    def planes(self) -> list[OwnPlane]:
        """Every plane that has a label; reads all of the Labels layer."""
        return list(self._labelled())

    def _labelled(self) -> Iterator[OwnPlane]:
        for plane in self._indices():
            own = LayerPlane(self.labels.data, plane, ChannelChoice(), is_rgb=False)
            found = np.asarray(own[:, :])
            if not found.any():
                continue
            seen = Sight(
                plane_image(self.image, plane, self.channels),
                full_resolution(self.image),
                self.intensities,
            )
            name = " ".join([self.image.name, *map(str, plane.hidden)])
            yield OwnPlane(name, seen.image, tuple(objects_of(found)))  # type: ignore[arg-type]  # as in engine

    def _indices(self) -> Iterator[PlaneIndex]:
        """All planes that are parallel to the one that is shown, channels apart."""
        shape = layer_shape(self.image)
        choices = [
            (None,)
            if at is None
            else range(1 if axis == self.channels.axis else shape[axis])
            for axis, at in enumerate(self.shown.index)
        ]
        for index in product(*choices):
            yield PlaneIndex(index, self.shown.is_transposed)
