"""A training run: samples in, checkpoints, logs and looks at the held-out images."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler
from tqdm import tqdm

from training.engine import Trainer, save
from training.images import data_root
from training.recipe import Recipe
from training.revision import revision
from training.samples import Sample
from training.sources import Samples, cell_sets
from training.validation import Validation

LOGGED = 50  # steps


class Onward(Sampler[int]):
    """Sample numbers from ``start`` on: a resumed run goes on where it stopped."""

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    def __len__(self) -> int:
        return self.stop - self.start


def start_worker(_number: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def train(
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    resume: bool,
    workers: int,
    minutes: float,
    start: Path | None = None,
) -> None:
    """Train until ``recipe.steps``; a checkpoint every ``minutes``.

    ``start`` names exported weights to begin from instead of random ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    trainer = Trainer(recipe, torch.device(device))
    if start is not None:
        trainer.begin_from(start)
    if resume and checkpoint.exists():
        trainer.restore(checkpoint)
    validation = Validation(recipe, data_root()) if recipe.validate else None
    (folder / "recipe.txt").write_text(f"{recipe!r}\n{revision()}\n")
    samples = Samples(
        cell_sets(data_root(), recipe.without), recipe.samples, seed=recipe.seed
    )
    numbers = Onward(trainer.step * recipe.batch, recipe.steps * recipe.batch)
    loader = DataLoader(
        samples,
        recipe.batch,
        sampler=numbers,
        num_workers=workers,
        collate_fn=list,
        worker_init_fn=start_worker,
        prefetch_factor=4 if workers else None,
    )
    run(trainer, loader, folder, minutes, validation)
    save(trainer, checkpoint)


def run(
    trainer: Trainer,
    loader: DataLoader[Sample],
    folder: Path,
    minutes: float,
    validation: Validation | None,
) -> None:
    """Steps with a progress bar, logs, validation and checkpoints."""
    log, every = Log(trainer, folder / "log.csv"), trainer.recipe.validate
    saved = time.monotonic()
    for batch in log.timed(loader):
        log.add(trainer.train_step(batch))
        if validation is not None and trainer.step % every == 0:
            validation.log(trainer, folder / "validation.csv")
        if time.monotonic() - saved > 60 * minutes:
            save(trainer, folder / "checkpoint.pt")
            saved = time.monotonic()


class Log:
    """The progress bar and a CSV file: mean losses, and how busy the network is."""

    def __init__(self, trainer: Trainer, path: Path) -> None:
        self.trainer, self.path = trainer, path
        self.recent: list[dict[str, float]] = []
        self.waiting, self.began = 0.0, time.monotonic()
        self.bar = tqdm(
            total=trainer.recipe.steps, initial=trainer.step, mininterval=10
        )

    def timed(self, loader: DataLoader[Sample]) -> Iterator[list[Sample]]:
        """The batches; how long each was waited for is counted."""
        asked = time.monotonic()
        for batch in loader:
            self.waiting += time.monotonic() - asked
            yield batch
            asked = time.monotonic()
        self.bar.close()

    def add(self, losses: dict[str, float]) -> None:
        """One step's losses; their means are written now and then."""
        self.recent.append(losses)
        self.bar.update()
        if self.trainer.step % LOGGED == 0:
            self.write()

    def write(self) -> None:
        mean = {k: float(np.mean([r[k] for r in self.recent])) for k in self.recent[0]}
        share = 1 - self.waiting / (time.monotonic() - self.began)
        row = [f"{value:.4f}" for value in mean.values()]
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([self.trainer.step, *row, f"{share:.3f}"])
        self.bar.set_postfix({**mean, "network": share}, refresh=False)
        self.recent = []
