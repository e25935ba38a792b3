"""What a benchmark is made of: objects in images, under names that stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from napari_iseg.arrays import Mask


@dataclass(frozen=True, slots=True)
class BenchmarkObject:
    """One object in one image.

    ``image`` is ``(H, W)`` or ``(H, W, 3)`` in red, green, blue, in the number type of
    its file. ``truth`` and ``ignored`` are ``(H, W)`` and share no pixel; ``ignored``
    pixels count neither as object nor as background. ``others`` are the pixels of the
    image's other objects, None if the data set knows of none. ``start`` is a mask that
    somebody corrected into ``truth``, None if there was none.
    """

    name: str
    image: NDArray[Any]
    truth: Mask
    ignored: Mask
    others: Mask | None = None
    start: Mask | None = None


class DataSet(Protocol):
    def samples(self) -> Sequence[str]:
        """Names, ``image/label``, each once and always in this order."""
        ...

    def read(self, sample: str) -> BenchmarkObject:
        """One object; the image read last is remembered.

        Raises
        ------
        ValueError
            If there is no such sample or a file of it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class DataSetEntry:
    """A data set's papers, and how to open the folder that was downloaded.

    ``layout`` is the tree of files as distributed, below ``folders[0]``; it is looked
    for as ``root / folder`` for each of ``folders``, then in ``root`` itself.
    """

    title: str
    source: str
    licence: str
    layout: str
    folders: tuple[str, ...]
    opened: Callable[[Path], DataSet]
    gaps: Callable[[Path], list[str]]  # which files are not in the folder: sentences
    published: str = ""  # how many objects its papers count, in words

    def base(self, root: Path) -> Path:
        """The data set's folder: below ``root``, or ``root`` itself."""
        places = (root / folder for folder in self.folders)
        return next((place for place in places if place.is_dir()), root)

    def open(self, root: Path) -> DataSet:
        """The data set in or below ``root``.

        Raises
        ------
        ValueError
            If a file or folder is missing: says which, and where to get the set.
        """
        lacking = self.missing(root)
        if lacking:
            raise ValueError(" ".join([*lacking[:-1][:3], lacking[-1]]))
        return self.opened(self.base(root))

    def missing(self, root: Path) -> list[str]:
        """Sentences: what is missing, then where to get the set; [] if complete."""
        base = self.base(root)
        found = self.gaps(base)
        if found and self.folders and base == root:
            found = [f"There is no {self.folders[0]} in {root}.", *found]
        return [*found, f"Get the data set from {self.source}."] if found else []
