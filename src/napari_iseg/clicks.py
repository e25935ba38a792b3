"""Clicks: what the user said so far about one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from napari_iseg.arrays import Grid


@dataclass(frozen=True, slots=True)
class Click:
    """One pixel, row first, and whether it belongs to the object."""

    row: int
    column: int
    is_positive: bool = True


@dataclass(frozen=True, slots=True)
class Clicks:
    """A history of clicks, oldest first; hashable, so answers can be kept by it."""

    items: tuple[Click, ...] = ()

    @classmethod
    def at(
        cls,
        positive: Iterable[tuple[int, int]] = (),
        negative: Iterable[tuple[int, int]] = (),
    ) -> Clicks:
        """Clicks at ``(row, column)`` pixels: all positive ones, then all negative."""
        return cls(
            tuple(Click(int(r), int(c), is_positive=True) for r, c in positive)
            + tuple(Click(int(r), int(c), is_positive=False) for r, c in negative)
        )

    @property
    def positive(self) -> tuple[Click, ...]:
        return tuple(click for click in self.items if click.is_positive)

    @property
    def negative(self) -> tuple[Click, ...]:
        return tuple(click for click in self.items if not click.is_positive)

    @property
    def last(self) -> Click:
        return self.items[-1]

    def adding(self, click: Click) -> Clicks:
        return Clicks((*self.items, click))

    def without(self, click: Click) -> Clicks:
        """The history as if ``click`` had never been made.

        Raises
        ------
        ValueError
            If there is no such click.
        """
        if click not in self.items:
            raise ValueError(f"there is no {click} among {len(self)} clicks to remove")
        at = self.items.index(click)
        return Clicks(self.items[:at] + self.items[at + 1 :])

    def replacing(self, old: Click, new: Click) -> Clicks:
        """The history as if ``new`` had been made instead of ``old``.

        Raises
        ------
        ValueError
            If there is no ``old``.
        """
        if old not in self.items:
            raise ValueError(f"there is no {old} among {len(self)} clicks to replace")
        at = self.items.index(old)
        return Clicks((*self.items[:at], new, *self.items[at + 1 :]))

    def prefix(self, length: int) -> Clicks:
        """The first ``length`` clicks."""
        return Clicks(self.items[:length])

    def check_inside(self, grid: Grid) -> None:
        """Refuse clicks outside an image of shape ``grid``.

        Raises
        ------
        ValueError
            Names the first click outside.
        """
        height, width = grid
        for click in self.items:
            if not (0 <= click.row < height and 0 <= click.column < width):
                raise ValueError(
                    f"the click at row {click.row}, column {click.column} is outside "
                    f"the image of {height} x {width} pixels"
                )

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Click]:
        return iter(self.items)
