"""A run's folder: what was run, with which code and versions, and since when."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_iseg.atomic_files import written_whole
from training.recipe import Recipe
from training.revision import revision

PACKAGES = ("napari-iseg", "numpy", "opencv-python-headless", "scipy", "torch")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run keeps everything.

    ``checkpoint.pt`` to go on from, ``best.pt`` with fewest clicks, ``run.json`` with
    an entry for each start, ``log.csv``, ``validation.csv``, ``clicks.csv``,
    ``skipped.csv``, ``sheets/`` with held-out images, answers and clicks.
    """

    path: Path

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def best(self) -> Path:
        return self.path / "best.pt"

    def prepare(self, *, resume: bool) -> None:
        """Make the folder.

        Raises
        ------
        ValueError
            If there is a run in it that is not to be resumed.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists() and not resume:
            raise ValueError(
                f"{self.path} holds a run already; go on with --resume, or choose "
                "another folder with --out"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No second process may train in the folder; a killed one holds no lock.

        Raises
        ------
        ValueError
            If another one is training in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as problem:
            raise ValueError(
                f"another process is training in {self.path}; choose another folder "
                "with --out"
            ) from problem
        try:
            yield
        finally:
            lock.release()

    def starts(self) -> list[dict[str, Any]]:
        """Every start of the run so far."""
        path = self.path / "run.json"
        if not path.exists():
            return []
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def note_start(
        self, recipe: Recipe, step: int, device: str, processes: int, new: Sequence[str]
    ) -> None:
        """Write down a start at ``step``; ``new``: settings that changed there."""
        start = {
            "step": step,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "revision": revision(),
            "device": device,
            "processes": processes,
            "python": sys.version.split()[0],
            "machine": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in PACKAGES},
            "changed": list(new),
            "recipe": asdict(recipe),
        }
        text = json.dumps([*self.starts(), start], indent=1)
        with written_whole(self.path / "run.json") as unfinished:
            unfinished.write_text(f"{text}\n", encoding="utf-8")
