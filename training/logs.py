"""What a run tells: a progress bar, CSV files, TensorBoard."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from napari_iseg.atomic_files import written_whole

LOGGED = 50  # steps between lines
SHARES = ("network", "clicking", "skipped")  # columns after the losses

T = TypeVar("T")


def append(path: Path, titles: Sequence[str], row: Sequence[Any]) -> None:
    """A row at the end of a CSV file; a new file begins with the titles."""
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([titles, row] if is_new else [row])


def forget_after(path: Path, step: int) -> None:
    """Drop the rows of steps that a resumed run will take again."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    kept = [
        row for row in rows if row and not (row[0].isdigit() and int(row[0]) > step)
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(kept)
    with written_whole(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")


@dataclass(slots=True)
class Stopwatch:
    """Seconds that a run waited for samples, and that it worked on them.

    Looks at held-out images and checkpoints are neither.
    """

    waited: float = 0.0
    worked: float = 0.0

    def share(self, seconds: float) -> float:
        """Of the whole time, 0..1."""
        return seconds / max(self.waited + self.worked, 1e-9)


class TensorBoard:
    """Curves for TensorBoard in a folder of its own."""

    def __init__(self, folder: Path, step: int) -> None:
        """ValueError with what to do if TensorBoard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as problem:
            raise ValueError(
                f"TensorBoard is not installed ({problem}): pip install tensorboard, "
                "or leave out --tensorboard; the same numbers are in log.csv"
            ) from problem
        self.writer = SummaryWriter(str(folder), purge_step=step)

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)
        self.writer.flush()


class Log:
    """The progress bar and a CSV file: mean losses, and how busy the network is.

    ``network`` is the share of the time of a step that is not spent waiting for samples
    nor on the robots that click; ``clicking`` the robots' share. ``skipped`` counts the
    broken images of the run so far.
    """

    def __init__(
        self, folder: Path, step: int, steps: int, board: TensorBoard | None = None
    ) -> None:
        self.folder, self.board = folder, board
        self.recent: list[dict[str, float]] = []
        self.watch = Stopwatch()
        self.clicking, self.skipped, self.came = 0.0, 0, 0.0
        self.bar = tqdm(total=steps, initial=step, mininterval=10)

    def watch_over(self, batches: Iterable[T]) -> Iterator[T]:
        """The batches; waiting for them is timed."""
        asked = time.perf_counter()
        for batch in batches:
            self.came = time.perf_counter()
            self.watch.waited += self.came - asked
            yield batch
            asked = time.perf_counter()

    def add(self, step: int, losses: dict[str, float], clicking: float) -> None:
        """A step has just been taken; means of losses are written now and then."""
        self.watch.worked += time.perf_counter() - self.came
        self.recent.append(losses)
        self.bar.update()
        if step % LOGGED == 0:
            self.write(step, clicking)

    def write(self, step: int, clicking: float) -> None:
        """A line of means since the last one; ``clicking``: the robots' seconds so far.

        Nothing is written where there was no step since.
        """
        if not self.recent:
            return
        names = self.recent[0]
        mean = {k: float(np.mean([r[k] for r in self.recent])) for k in names}
        robots = self.watch.share(clicking - self.clicking)
        busy = 1 - self.watch.share(self.watch.waited) - robots
        shares = {"network": busy, "clicking": robots}
        row = [step, *(f"{v:.4f}" for v in mean.values()), f"{busy:.3f}"]
        titles = ("step", *names, *SHARES)
        append(self.folder / "log.csv", titles, [*row, f"{robots:.3f}", self.skipped])
        if self.board:
            self.board.add("training", {**mean, **shares}, step)
        self.bar.set_postfix({**mean, **shares, "skipped": self.skipped}, refresh=False)
        self.recent, self.watch, self.clicking = [], Stopwatch(), clicking

    def close(self, step: int, clicking: float) -> None:
        """Write what is left."""
        self.write(step, clicking)
        self.bar.close()

    def skip(self, step: int, reason: str) -> None:
        """Count a broken image, and say it once for each reason."""
        self.skipped += 1
        append(
            self.folder / "skipped.csv", ("step", "image and reason"), (step, reason)
        )
