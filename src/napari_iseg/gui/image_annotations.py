"""What was annotated in one image: a session for each plane, labels unique in all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from napari_iseg.arrays import Grid
from napari_iseg.gui.painted_objects import PaintedObjects
from napari_iseg.gui.planes import PlaneIndex
from napari_iseg.session import Overlap, Session


@dataclass(slots=True, eq=False)
class AnnotatedPlane:
    """A plane's session and what of it is in the label image."""

    plane: PlaneIndex
    session: Session
    painted: PaintedObjects = field(default_factory=PaintedObjects)


class ImageAnnotations:
    """The annotated planes of one image.

    Parameters
    ----------
    highest_label
        The highest label that is in the label image already.
    """

    def __init__(self, highest_label: int = 0) -> None:
        self._planes: dict[PlaneIndex, AnnotatedPlane] = {}
        self._highest_before = highest_label

    def __iter__(self) -> Iterator[AnnotatedPlane]:
        return iter(self._planes.values())

    def on(self, plane: PlaneIndex, grid: Grid, overlap: Overlap) -> AnnotatedPlane:
        """The plane's annotations; empty ones if it was never looked at."""
        if plane not in self._planes:
            first = self.next_label
            session = Session(grid, overlap=overlap, first_label=first)
            self._planes[plane] = AnnotatedPlane(plane, session)
        return self._planes[plane]

    def number_next(self, session: Session) -> None:
        """Give a new object of ``session`` a label that no other plane uses."""
        elsewhere = {
            label
            for one in self
            if one.session is not session
            for label in self._labels_of(one.session)
        }
        if session.is_blank and session.label in elsewhere:
            session.number_from(self.next_label)

    @property
    def object_count(self) -> int:
        return sum(len(one.session.objects) for one in self)

    @property
    def next_label(self) -> int:
        """Higher than every label of every plane."""
        used = [label for one in self for label in self._labels_of(one.session)]
        return max([self._highest_before, *used]) + 1

    @staticmethod
    def _labels_of(session: Session) -> list[int]:
        in_progress = [] if session.is_blank else [session.label]
        return [*session.objects, *in_progress]
