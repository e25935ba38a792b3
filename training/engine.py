"""One training step, readable top to bottom, and its state: how a network is trained.

What is trained is the recipe's ``Trainable``.
"""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from napari_iseg import Click, Clicks
from training.crew import Crew
from training.early_stopping import Marks
from training.parts import NormStatistics, added_up, parts_of
from training.recipe import Recipe
from training.robots import Hasty
from training.samples import Sample, WindowSample
from training.trainable import WIDE, ZOOM, Points, Windows, stacked

logger = logging.getLogger(__name__)
ROBOT = Hasty()
PARTS = {"net", "averaged", "optimiser", "step"}  # of every checkpoint


def carried(points: Points, shift: tuple[float, float, float], side: int) -> Points:
    """Clicks of the wide window in pixels of the zoom window, where they lie inside."""
    ratio, row, column = shift
    moved = [((r - row) / ratio, (c - column) / ratio, p) for r, c, p in points]
    return [q for q in moved if min(q[:2]) >= -0.5 and max(q[:2]) <= side - 0.5]


def zoomed(probability: Tensor, shifts: Tensor) -> Tensor:
    """The wide answer ``(B, 1, N, N)`` as seen in the zoom window, 0 outside."""
    side = probability.shape[-1]
    pixel = torch.arange(side, device=probability.device, dtype=torch.float32)
    at = shifts[:, None, :1] * pixel[None, :, None]  # (B, N, 1)
    rows = at[..., 0] + shifts[:, 1:2]
    columns = at[..., 0] + shifts[:, 2:3]
    grid = torch.stack(
        [
            columns[:, None, :].expand(-1, side, -1),
            rows[:, :, None].expand(-1, -1, side),
        ],
        -1,
    )
    return F.grid_sample(probability, (grid + 0.5) * 2 / side - 1, align_corners=False)


class Trainer:
    """The state of a run: network, averaged network, optimiser, step.

    A step looks at a sample twice, through a wide window and through a closer one.
    """

    losses: tuple[str, ...] = (WIDE, ZOOM)  # their names

    def __init__(
        self, recipe: Recipe, device: torch.device, crew: Crew | None = None
    ) -> None:
        self.recipe, self.device, self.step = recipe, device, 0
        self.crew = crew or Crew()
        self.marks = Marks()
        self.clicking = 0.0  # seconds that robots took, in all
        self.enter(0, {})

    def enter(self, stage: int, learnt: Mapping[str, Tensor]) -> None:
        """Begin a stage: its network, its optimiser. What was learnt is kept."""
        torch.manual_seed(self.recipe.seed + stage)
        self.stage, self.begun = stage, self.step
        self.trainable = self.recipe.trainable(stage)
        self.net = self.build()
        self.averaged = self.build()
        self.net.load_state_dict(learnt, strict=False)
        self.averaged.load_state_dict(self.net.state_dict())
        self.trainable.begin(self.net)
        self.parallel = self.crew.in_parallel(self.net)
        self.optimiser = self.recipe.optimiser_of(self.trainable.groups(self.net))

    def build(self) -> nn.Module:
        net = self.trainable.build().to(self.device)
        return net.to(memory_format=torch.channels_last)

    def learning_rate(self) -> float:
        """Warm-up, a plateau, then a straight line to zero: easy to prolong."""
        recipe = self.recipe
        end = recipe.first_steps()[self.stage + 1]
        left = (end - self.step) / max(1, recipe.decay * (end - self.begun))
        rise = (self.step - self.begun + 1) / recipe.warm_up
        rate = recipe.rate_at(self.stage, self.done())
        return rate * max(min(1.0, left, rise), 0.002)

    def done(self) -> float:
        """The share of the stage's steps that are taken."""
        end = self.recipe.first_steps()[self.stage + 1]
        return min(1.0, (self.step - self.begun) / max(1, end - self.begun))

    def train_step(self, samples: Sequence[Any]) -> dict[str, float]:
        """One step of the optimiser; ``samples``: this process's share of the batch."""
        if self.recipe.stage_at(self.step) > self.stage:
            self.enter(self.stage + 1, self.averaged.state_dict())
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate() * group.get("factor", 1.0)
        self.optimiser.zero_grad(set_to_none=True)
        losses = self.learnt(samples)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average_weights()
        else:
            logger.warning("step %d: the gradient is not finite; skipped", self.step)
        self.step += 1
        return {**losses, "norm": float(norm)}

    def learnt(self, samples: Sequence[Any]) -> dict[str, float]:
        """Gradients of the whole batch, part by part; the mean losses."""
        number, alone = self.recipe.accumulate, self.crew.is_alone
        parts = parts_of(samples, number)
        norms = None if self.crew.size * number == 1 else NormStatistics(self.net)
        found = []
        for at, part in enumerate(parts):
            with added_up(self.net) if number > 1 and alone else nullcontext():
                found.append(self.learn_part(part, at, is_last=at == number - 1))
            if norms:
                norms.part_done()
        if norms:
            norms.step_done(self.crew)
        means = self.crew.mean(np.mean(found, 0).tolist())
        return dict(zip(self.losses, means, strict=True))

    def learn_part(
        self, samples: Sequence[Any], at: int, *, is_last: bool
    ) -> tuple[float, ...]:
        """First click in the wide window, then corrections in the zoom window.

        Processes put their gradients together in the last backward pass of a step.
        """
        chances = self.recipe.no_gradient
        rng = np.random.default_rng((self.recipe.seed, 1, self.step))
        rounds = int(rng.choice(len(chances), p=chances))
        number = self.crew.rank * self.recipe.accumulate + at
        if self.crew.size * self.recipe.accumulate > 1:
            rng = np.random.default_rng((self.recipe.seed, 1, self.step, number))
        chance = np.random.default_rng((self.recipe.seed, 3, self.step, number))
        torch.manual_seed(int(chance.integers(2**62)))  # for dropout
        with self.apart():
            wide, answer = self.look_wide(samples)
        with nullcontext() if is_last else self.apart():
            return wide, self.correct(samples, answer, rounds, rng)

    def apart(self) -> AbstractContextManager[None]:
        """Gradients stay in this process for now."""
        if isinstance(self.parallel, nn.parallel.DistributedDataParallel):
            return self.parallel.no_sync()
        return nullcontext()

    def look_wide(self, samples: Sequence[Sample]) -> tuple[float, Tensor]:
        """The first click's loss (its gradient is kept) and its answer."""
        windows = stacked([s.wide for s in samples], self.device)
        clicks = [list(s.clicks) for s in samples]
        blank = torch.zeros_like(windows.truth)
        answer, loss = self.passed(windows, clicks, blank, WIDE)
        return loss, answer

    def correct(
        self,
        samples: Sequence[Sample],
        first: Tensor,
        rounds: int,
        rng: np.random.Generator,
    ) -> float:
        """Zoom to the object, add clicks, learn from the last answer."""
        side = self.recipe.samples.side
        windows = stacked([s.zoom for s in samples], self.device)
        shifts = torch.tensor([s.shift for s in samples], device=self.device)
        start = torch.from_numpy(np.stack([s.start for s in samples])[:, None]).float()
        given = torch.tensor([s.from_start for s in samples])[:, None, None, None]
        prior = torch.where(
            given.to(self.device), start.to(self.device), zoomed(first, shifts)
        )
        clicks = [
            [] if s.from_start else carried(list(s.clicks), s.shift, side)
            for s in samples
        ]
        truths = [s.zoom for s in samples]
        for _ in range(rounds):
            self.click_once(clicks, truths, prior, rng, chance=0.9)
            prior = self.glance(windows, clicks, prior)
        last = 0.75 if self.recipe.corrections else 0.0
        self.click_once(clicks, truths, prior, rng, chance=last)
        return self.passed(windows, clicks, prior, ZOOM)[1]

    def click_once(
        self,
        clicks: list[Points],
        windows: Sequence[WindowSample],
        prior: Tensor,
        rng: np.random.Generator,
        chance: float,
    ) -> None:
        """A robot's click in each window, added in place."""
        masks = (prior[:, 0] > 0.5).cpu().numpy()
        began = time.perf_counter()
        for points, window, mask in zip(clicks, windows, masks, strict=True):
            if rng.random() < chance or not points:
                click = ROBOT.next_click(
                    window.truth, mask, Clicks(), rng, window.ignored
                )
                if isinstance(click, Click):
                    points.append((click.row, click.column, click.is_positive))
        self.clicking += time.perf_counter() - began

    def passed(
        self, windows: Windows, clicks: Sequence[Points], prior: Tensor, look: str
    ) -> tuple[Tensor, float]:
        """Forward and backward; the best-scored answer and the loss."""
        trainable = self.trainable
        trainable.mode(self.net)
        if self.done() > 1 - self.recipe.settled:
            settle_norms(self.net)
        told = trainable.told(self.net, clicks, prior, windows.others)
        with self.precision():
            answer = trainable.asked(self.parallel, windows, told)
        loss = trainable.loss(answer, windows, clicks, look)
        (loss / self.recipe.accumulate).backward()
        logits, scores = trainable.hypotheses(answer)
        return chosen(logits.detach(), scores.detach()), float(loss.detach())

    @torch.no_grad()
    def glance(
        self, windows: Windows, clicks: Sequence[Points], prior: Tensor
    ) -> Tensor:
        """An answer without learning from it, as at run time."""
        return chosen(*self.seen(self.net, windows, clicks, prior))

    @torch.no_grad()
    def seen(
        self,
        net: nn.Module,
        windows: Windows,
        clicks: Sequence[Points],
        prior: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Every mask of ``net`` in eval mode, and their scores."""
        told = self.trainable.told(net, clicks, prior, windows.others)
        net.eval()
        with self.precision():
            answer = net(windows.image, **told)
        return self.trainable.hypotheses(answer)

    def precision(self) -> AbstractContextManager[None]:
        """The activations' number format, as the recipe has it."""
        is_half = self.recipe.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_half)

    @torch.no_grad()
    def average_weights(self) -> None:
        steps = self.step - self.begun
        keep = min(self.recipe.average, (1 + steps) / (10 + steps))
        fresh = self.net.state_dict()
        for name, kept in self.averaged.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(fresh[name], 1 - keep)
            else:
                kept.copy_(fresh[name])

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "stage": self.stage,
            "begun": self.begun,
            "network": self.trainable.metadata(),
            "marks": asdict(self.marks),
            "recipe": asdict(self.recipe),
        }

    def begin_from(self, weights: Path) -> None:
        """Go on from exported weights: step 0, a fresh optimiser.

        Raises
        ------
        ValueError
            If the file is missing or holds another network's weights.
        """
        trained = self.trainable.trained(weights)
        try:
            self.net.load_state_dict(trained)
        except RuntimeError as problem:
            raise ValueError(
                f"{weights} holds a network of another {self.trainable.shape} than the "
                "recipe; set them alike"
            ) from problem
        self.averaged.load_state_dict(trained)

    def restore(self, path: Path) -> list[str]:
        """Go on from a checkpoint; which settings were other ones before, in words.

        Raises
        ------
        ValueError
            If the file is no checkpoint or of another network.
        """
        state = read_checkpoint(path, self.device)
        if state.get("stage", 0) > self.stage:
            self.enter(int(state["stage"]), {})
        try:
            self.net.load_state_dict(state["net"])
            self.averaged.load_state_dict(state["averaged"])
        except RuntimeError as problem:
            raise ValueError(
                f"{path} holds a network of another {self.trainable.shape} than the "
                "recipe; set them alike, or choose another folder"
            ) from problem
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.begun = int(state["step"]), int(state.get("begun", 0))
        self.marks = Marks(**state.get("marks", {}))
        self.recall(state)
        return differences(state.get("recipe", {}), asdict(self.recipe))

    def recall(self, state: dict[str, Any]) -> None:
        """What a step of another kind remembers beside the network."""


def settle_norms(net: nn.Module) -> None:
    """Batch norms as at run time: by what they remember, not by the batch.

    While a network learns they see wide windows and close ones apart; at run time one
    memory serves both.
    """
    for part in net.modules():
        if isinstance(part, _BatchNorm):
            part.eval()


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What ``save`` wrote; ValueError if the file is something else."""
    try:
        state: object = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError) as problem:
        raise ValueError(f"{path} is not a checkpoint: {problem}") from problem
    if isinstance(state, dict) and state.keys() >= PARTS:
        return state
    raise ValueError(f"{path} is not a checkpoint of a training run")


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], within: str = ""
) -> list[str]:
    """Settings that changed, as "name=new (was old)"."""
    changed = []
    for name, old in before.items():
        new = now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changed += differences(old, new, f"{within}{name}.")
        elif new != old:
            changed.append(f"{within}{name}={new!r} (was {old!r})")
    return changed


def chosen(logits: Tensor, scores: Tensor) -> Tensor:
    """The probability of the hypothesis with the best score, ``(B, 1, N, N)``."""
    at = scores.float().argmax(1)
    return logits.float()[torch.arange(len(at)), at][:, None].sigmoid()


def save(trainer: Trainer, path: Path) -> None:
    """Write a checkpoint so that a kill at any time leaves the old or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(trainer.state(), partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())  # on the disk before it takes the old one's name
    partial.replace(path)
