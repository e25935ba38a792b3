"""Batches for a training run, made ahead of time by worker processes."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import torch
from torch.utils.data import DataLoader, Sampler

from training.crew import Crew
from training.recipe import Recipe
from training.samples import Sample
from training.sources import Samples

AHEAD = 4  # batches a worker keeps ready


class Batches(Sampler[list[int]]):
    """Sample numbers of this process's share of each step, from step ``start`` on.

    A resumed run goes on where it stopped, and all processes together take the samples
    that one alone would take.
    """

    def __init__(self, recipe: Recipe, start: int, crew: Crew) -> None:
        if recipe.batch % (crew.size * recipe.accumulate):
            raise ValueError(
                f"batch={recipe.batch} cannot be shared out among {crew.size} "
                f"processes with accumulate={recipe.accumulate}; choose a multiple of "
                f"{crew.size * recipe.accumulate}"
            )
        self.batch, self.steps, self.start = recipe.batch, recipe.steps, start
        self.share = recipe.batch // crew.size
        self.first = crew.rank * self.share

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.start, self.steps):
            begin = step * self.batch + self.first
            yield list(range(begin, begin + self.share))

    def __len__(self) -> int:
        return max(0, self.steps - self.start)


def loader_of(
    samples: Samples, recipe: Recipe, start: int, crew: Crew, workers: int
) -> DataLoader[Sample]:
    """The batches from step ``start`` to the last, in order."""
    return DataLoader(
        samples,
        batch_sampler=Batches(recipe, start, crew),
        num_workers=workers,
        collate_fn=list,
        worker_init_fn=start_worker,
        prefetch_factor=AHEAD if workers else None,
    )


def start_worker(_number: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
