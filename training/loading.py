"""Batches for a training run, made ahead of time by worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import cv2
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from training.crew import Crew
from training.recipe import Recipe

S = TypeVar("S")
AHEAD = 4  # batches a worker keeps ready


class Batches(Sampler[list[int]]):
    """Sample numbers of this process's share of each step, from step ``start`` on.

    A resumed run goes on where it stopped, and all processes together take the samples
    that one alone would take.
    """

    def __init__(self, recipe: Recipe, start: int, crew: Crew) -> None:
        for first in recipe.first_steps()[:-1]:
            batch = recipe.batch_at(first)
            if batch % (crew.size * recipe.accumulate):
                raise ValueError(
                    f"batch={batch} cannot be shared out among {crew.size} "
                    f"processes with accumulate={recipe.accumulate}; choose a multiple "
                    f"of {crew.size * recipe.accumulate}"
                )
        self.recipe, self.start, self.crew = recipe, start, crew

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.start, self.recipe.steps):
            share = self.recipe.batch_at(step) // self.crew.size
            begin = self.recipe.samples_before(step) + self.crew.rank * share
            yield list(range(begin, begin + share))

    def __len__(self) -> int:
        return max(0, self.recipe.steps - self.start)


def loader_of(
    samples: Dataset[S], recipe: Recipe, start: int, crew: Crew, workers: int
) -> DataLoader[S]:
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
