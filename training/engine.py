"""One training step of ``cells``, readable top to bottom, and its state."""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg import Click, Clicks
from napari_iseg.click_maps import disc_map
from napari_iseg.nets.cells_net import CellsNet
from napari_iseg.nets.window_model import net_from
from napari_iseg.weights import read_tensors
from training.crew import Crew
from training.early_stopping import Marks
from training.losses import answer_loss
from training.parts import NormStatistics, added_up, parts_of
from training.recipe import Recipe
from training.robots import Hasty
from training.samples import Sample, WindowSample

logger = logging.getLogger(__name__)
ROBOT = Hasty()
PARTS = {"net", "averaged", "optimiser", "step"}  # of every checkpoint

Points = list[tuple[float, float, bool]]  # row, column, is_positive


@dataclass(frozen=True, slots=True)
class Windows:
    """A batch of one kind of window as tensors."""

    image: Tensor  # (B, 3, N, N)
    truth: Tensor  # (B, 1, N, N)
    others: Tensor
    counted: Tensor
    outside: Tensor  # (B,)


def stacked(windows: Sequence[WindowSample], device: torch.device) -> Windows:
    def channel(arrays: Sequence[NDArray[np.bool_]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)[:, None]).to(device).float()

    image = torch.from_numpy(np.stack([w.image for w in windows])).to(device).float()
    return Windows(
        image.contiguous(memory_format=torch.channels_last),
        channel([w.truth for w in windows]),
        channel([w.others for w in windows]),
        channel([~w.ignored for w in windows]),
        torch.tensor([w.outside for w in windows], device=device),
    )


def draw(clicks: Sequence[Points], side: int, radius: float) -> Tensor:
    """Positive and negative discs, ``(B, 2, N, N)``."""
    maps = [
        [
            disc_map([(r, c) for r, c, p in points if p == kind], (side, side), radius)
            for kind in (True, False)
        ]
        for points in clicks
    ]
    return torch.from_numpy(np.array(maps, np.float32))


def clicked_pixels(clicks: Sequence[Points], side: int) -> Tensor:
    """1 on clicked pixels, ``(B, 1, N, N)``."""
    hit = np.zeros((len(clicks), 1, side, side), np.float32)
    for b, points in enumerate(clicks):
        for r, c, _ in points:
            row, column = round(r), round(c)
            if 0 <= row < side and 0 <= column < side:
                hit[b, 0, row, column] = 1
    return torch.from_numpy(hit)


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
    """The state of a run: network, averaged network, optimiser, step."""

    def __init__(
        self, recipe: Recipe, device: torch.device, crew: Crew | None = None
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        self.crew = crew or Crew()
        self.net = self.build()
        self.averaged = self.build()
        self.averaged.load_state_dict(self.net.state_dict())
        self.parallel = self.crew.in_parallel(self.net)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(),
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        self.marks = Marks()
        self.clicking = 0.0  # seconds that robots took, in all

    def build(self) -> CellsNet:
        net = CellsNet(self.recipe.width, self.recipe.hypotheses).to(self.device)
        return net.to(memory_format=torch.channels_last)

    def learning_rate(self) -> float:
        """Warm-up, a plateau, then a straight line to zero: easy to prolong."""
        recipe = self.recipe
        left = (recipe.steps - self.step) / max(1, recipe.decay * recipe.steps)
        rise = (self.step + 1) / recipe.warm_up
        return recipe.learning_rate * max(min(1.0, left, rise), 0.002)

    def train_step(self, samples: Sequence[Sample]) -> dict[str, float]:
        """One step of the optimiser; ``samples``: this process's share of the batch."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
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

    def learnt(self, samples: Sequence[Sample]) -> dict[str, float]:
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
        wide, zoom = self.crew.mean(np.mean(found, 0).tolist())
        return {"wide": wide, "zoom": zoom}

    def learn_part(
        self, samples: Sequence[Sample], at: int, *, is_last: bool
    ) -> tuple[float, float]:
        """First click in the wide window, then corrections in the zoom window.

        Processes put their gradients together in the last backward pass of a step.
        """
        chances = self.recipe.no_gradient
        rng = np.random.default_rng((self.recipe.seed, 1, self.step))
        rounds = int(rng.choice(len(chances), p=chances))
        number = self.crew.rank * self.recipe.accumulate + at
        if self.crew.size * self.recipe.accumulate > 1:
            rng = np.random.default_rng((self.recipe.seed, 1, self.step, number))
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
        guides = self.guides(clicks, torch.zeros_like(windows.truth), windows.others)
        answer, loss = self.passed(windows, guides, clicks, self.recipe.best_wide)
        return loss, answer

    def correct(
        self,
        samples: Sequence[Sample],
        first: Tensor,
        rounds: int,
        rng: np.random.Generator,
    ) -> float:
        """Zoom to the object, add clicks, learn from the last answer."""
        recipe, side = self.recipe, self.recipe.samples.side
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
            prior = self.glance(windows, self.guides(clicks, prior, windows.others))
        self.click_once(clicks, truths, prior, rng, chance=0.75)
        guides = self.guides(clicks, prior, windows.others)
        return self.passed(windows, guides, clicks, recipe.best_zoom)[1]

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

    def guides(self, clicks: Sequence[Points], prior: Tensor, others: Tensor) -> Tensor:
        side = prior.shape[-1]
        discs = draw(clicks, side, self.recipe.disc_radius).to(self.device)
        shown = others if self.recipe.others else torch.zeros_like(others)
        together = torch.cat([discs, prior.detach(), shown], 1)
        return together.contiguous(memory_format=torch.channels_last)

    def passed(
        self,
        windows: Windows,
        guides: Tensor,
        clicks: Sequence[Points],
        best: float,
    ) -> tuple[Tensor, float]:
        """Forward and backward; the best-scored answer and the loss."""
        self.net.train()
        with self.precision():
            answer = self.parallel(windows.image, guides)
        hit = clicked_pixels(clicks, guides.shape[-1]).to(self.device)
        loss = answer_loss(
            answer, windows.truth, windows.counted, hit, windows.outside, best=best
        )
        (loss / self.recipe.accumulate).backward()
        return chosen(answer.logits.detach(), answer.scores.detach()), float(
            loss.detach()
        )

    @torch.no_grad()
    def glance(self, windows: Windows, guides: Tensor) -> Tensor:
        """An answer without learning from it, as at run time."""
        self.net.eval()
        with self.precision():
            answer = self.net(windows.image, guides)
        return chosen(answer.logits, answer.scores)

    def precision(self) -> AbstractContextManager[None]:
        """The activations' number format, as the recipe has it."""
        is_half = self.recipe.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_half)

    @torch.no_grad()
    def average_weights(self) -> None:
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
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
        trained = net_from(read_tensors(weights)).state_dict()
        try:
            self.net.load_state_dict(trained)
        except RuntimeError as problem:
            raise ValueError(
                f"{weights} holds a network of another width or number of hypotheses "
                "than the recipe; set them alike"
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
        try:
            self.net.load_state_dict(state["net"])
            self.averaged.load_state_dict(state["averaged"])
        except RuntimeError as problem:
            raise ValueError(
                f"{path} holds a network of another width or number of hypotheses than "
                "the recipe; set them alike, or choose another folder"
            ) from problem
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        self.marks = Marks(**state.get("marks", {}))
        return differences(state.get("recipe", {}), asdict(self.recipe))


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
