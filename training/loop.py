"""A training run: samples in, checkpoints, logs and looks at the held-out images."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from training.clicked_validation import ClickedValidation, chosen_objects
from training.crew import Crew, joined
from training.crop_trainer import CropTrainer
from training.datasets import open_dataset
from training.dense import DenseRecipe, DenseTrainer
from training.dense_validation import DenseLooks
from training.engine import Trainer, save
from training.field_sets import opened_fields
from training.images import data_root
from training.loading import loader_of
from training.logs import Log, TensorBoard, forget_after
from training.memory import told
from training.paper_recipe import PaperRecipe
from training.photographs import Crops
from training.recipe import Recipe, check_stages
from training.run_folder import RunFolder
from training.sources import Samples, cell_sets, validation_sets
from training.validation import Validation

logger = logging.getLogger(__name__)
LOGS = ("log.csv", "validation.csv", "clicks.csv", "skipped.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is carried out; nothing of it changes what is learnt.

    Attributes
    ----------
    device
        "cpu" or "cuda".
    resume
        Go on from the folder's checkpoint.
    workers
        Processes that make samples; 0: this one does.
    minutes
        Between checkpoints: what a kill may cost. 0: one after every step.
    start
        Exported weights to begin from instead of random ones.
    board
        Write curves for TensorBoard, too.
    """

    device: str = "cpu"
    resume: bool = False
    workers: int = 1
    minutes: float = 3
    start: Path | None = None
    board: bool = False


def train(recipe: Recipe, folder: Path, settings: Settings) -> None:
    """Train until ``recipe.steps``, or until looks at held-out objects stop improving.

    Under ``torchrun`` the processes share each step's batch.

    Raises
    ------
    ValueError
        If the folder holds another run, a setting or a data set cannot be used, or
        memory runs out: says which and what to set.
    FileNotFoundError
        If a data set is missing.
    """
    with (
        joined(settings.device) as (crew, device),
        told(recipe, settings.workers),
        RunFolder(folder).locked() if crew.is_first else nullcontext(),
    ):
        Run(recipe, RunFolder(folder), settings, crew, device).work()


class Run:
    """A run from its start, or from its checkpoint, to its end."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        settings: Settings,
        crew: Crew,
        device: str,
    ) -> None:
        self.recipe, self.folder, self.settings = recipe, folder, settings
        self.crew = crew
        folder.prepare(resume=settings.resume)
        self.samples, recipe, broken = opened(recipe)
        check_stages(recipe)
        self.recipe = recipe
        self.trainer = trainer_of(recipe, torch.device(device), crew)
        self.begin(device)
        self.looks = looks_of(recipe) if recipe.validate and crew.is_first else None
        self.log = self.opened_log(broken) if crew.is_first else None
        self.saved = time.monotonic()

    def begin(self, device: str) -> None:
        """From random or given weights, or from the checkpoint."""
        changed: list[str] = []
        if self.settings.start is not None:
            self.trainer.begin_from(self.settings.start)
        if self.settings.resume and self.folder.checkpoint.exists():
            changed = self.trainer.restore(self.folder.checkpoint)
        if changed and self.crew.is_first:
            logger.warning("from step %d on: %s", self.trainer.step, ", ".join(changed))
        if self.crew.is_first:
            for name in LOGS:
                forget_after(self.folder.path / name, self.trainer.step)
            self.folder.note_start(
                self.recipe, self.trainer.step, device, self.crew.size, changed
            )

    def opened_log(self, broken: Sequence[str]) -> Log:
        """The log; what could not be read of the data sets is its first news."""
        trainer, board = self.trainer, None
        if self.settings.board:
            board = TensorBoard(self.folder.path / "tensorboard", trainer.step)
        log = Log(self.folder.path, trainer.step, self.recipe.steps, board)
        for reason in broken:
            logger.warning("left out: %s", reason)
            log.skip(trainer.step, reason)
        return log

    def work(self) -> None:
        """Steps to the end; Ctrl-C leaves a checkpoint."""
        try:
            self.steps()
        except KeyboardInterrupt:
            self.save()
            logger.warning(
                "stopped at step %d; --resume goes on from there", self.trainer.step
            )
            raise
        finally:
            if self.log is not None:
                self.log.close(self.trainer.step, self.trainer.clicking)
        self.save()

    def steps(self) -> None:
        trainer, recipe = self.trainer, self.recipe
        batches = loader_of(
            self.samples, recipe, trainer.step, self.crew, self.settings.workers
        )
        for batch in self.log.watch_over(batches) if self.log else batches:
            losses = trainer.train_step(batch)
            self.note(batch, losses)
            if recipe.validate and trainer.step % recipe.validate == 0:
                self.look()
                if self.crew.agreed(is_true=trainer.marks.is_over(recipe.patience)):
                    return
            if time.monotonic() - self.saved >= 60 * self.settings.minutes:
                self.save()

    def note(self, batch: list[Any], losses: dict[str, float]) -> None:
        if self.log is None:
            return
        for reason in [reason for sample in batch for reason in sample.skipped]:
            logger.warning("skipped: %s", reason)
            self.log.skip(self.trainer.step, reason)
        self.log.add(self.trainer.step, losses, self.trainer.clicking)

    def look(self) -> None:
        """At the held-out images; the best weights so far are kept."""
        if self.looks is None or self.log is None:
            return
        clicking = self.trainer.clicking
        found = self.looks.taken(self.trainer, self.folder)
        if self.log.board:
            for group, values in found.items():
                self.log.board.add(group, values, self.trainer.step)
        self.trainer.clicking = clicking  # these robots' time is none of the training

    def save(self) -> None:
        if self.log is not None:
            save(self.trainer, self.folder.checkpoint)
        self.saved = time.monotonic()


def opened(recipe: Recipe) -> tuple[Dataset[Any], Recipe, list[str]]:
    """What is trained on, the recipe for so much of it, and what could not be read."""
    if isinstance(recipe, DenseRecipe):
        return opened_fields(recipe)
    if isinstance(recipe, PaperRecipe) and recipe.photographs.data:
        data = open_dataset(recipe.photographs.data, data_root())
        crops = Crops(data, recipe.photographs, seed=recipe.seed)
        return crops, recipe.sized(crops.epoch), []
    sets = cell_sets(data_root(), recipe.without)
    samples = Samples(sets, recipe.samples, seed=recipe.seed)
    return samples, recipe, [reason for one in sets.values() for reason in one.broken]


def trainer_of(recipe: Recipe, device: torch.device, crew: Crew) -> Trainer:
    """By what a sample is: a field, two windows, or a crop."""
    if isinstance(recipe, DenseRecipe):
        return DenseTrainer(recipe, device, crew)
    if isinstance(recipe, PaperRecipe) and recipe.photographs.data:
        return CropTrainer(recipe, device, crew)
    return Trainer(recipe, device, crew)


def looks_of(recipe: Recipe) -> Looks | DenseLooks:
    """By what is held out: objects to click on, or whole fields."""
    if isinstance(recipe, DenseRecipe):
        return DenseLooks.of(recipe)
    return Looks.of(recipe)


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked at, now and then: windows, and objects that a robot clicks on."""

    windows: Validation | None
    clicked: ClickedValidation | None

    @classmethod
    def of(cls, recipe: Recipe) -> Looks:
        sets = validation_sets(data_root(), recipe.without)
        return cls(
            Validation(recipe, sets) if recipe.validated else None,
            chosen_objects(sets, recipe.clicked, recipe.seed)
            if recipe.clicked
            else None,
        )

    def taken(self, trainer: Trainer, folder: RunFolder) -> dict[str, dict[str, float]]:
        """What was measured, by kind; ``best.pt`` is written where it was best."""
        found = {}
        if self.windows:
            path = folder.path / "validation.csv"
            found["windows"] = self.windows.log(trainer, path)
        if self.clicked:
            segmenter = trainer.trainable.segmenter(trainer.averaged)
            row = self.clicked.log(segmenter, trainer.step, folder.path)
            found["clicks"] = row
            trainer.marks = trainer.marks.after(row)
            if trainer.marks.is_newest_best:
                save(trainer, folder.best)
        return found
