"""Model files that the user loaded, remembered from one session to the next."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from napari_iseg.atomic_files import written_whole
from napari_iseg.gui.own_models import ANSWERS, OwnModel
from napari_iseg.taught import taught_folder

FILE = "own_models.json"  # among the methods that the user taught


@dataclass(frozen=True, slots=True)
class Remembered:
    """A model file; ``is_missed`` if it was told that the file is gone."""

    model: OwnModel
    is_missed: bool = False

    @property
    def is_there(self) -> bool:
        return self.model.path.is_file()


@dataclass(frozen=True, slots=True)
class ModelShelf:
    """Where and what model files are; the files stay where the user has them.

    Attributes
    ----------
    path
        A JSON file; None remembers nothing.
    """

    path: Path | None = None

    @classmethod
    def of_user(cls) -> ModelShelf:
        """The one of whoever runs napari."""
        return cls(taught_folder() / FILE)

    def models(self) -> list[OwnModel]:
        """Those that are there, in the order in which they were loaded first.

        Raises
        ------
        ValueError
            If the list cannot be read; it is left as it is.
        """
        return [one.model for one in self._read() if one.is_there]

    def newly_missed(self) -> list[OwnModel]:
        """Those whose file is gone since the last time; each is told once.

        They are still remembered: when a file is back, so is its method.

        Raises
        ------
        ValueError
            As ``models``.
        """
        known = self._read()
        now = [replace(one, is_missed=not one.is_there) for one in known]
        if now != known:
            self._write(now)
        pairs = zip(known, now, strict=True)
        return [old.model for old, new in pairs if new.is_missed and not old.is_missed]

    def put(self, model: OwnModel) -> None:
        """Remember a model; one of the same name is forgotten.

        Raises
        ------
        ValueError
            As ``models``.
        """
        model = replace(model, path=model.path.absolute())
        others = [one for one in self._read() if one.model.name != model.name]
        self._write([*others, Remembered(model)])

    def _read(self) -> list[Remembered]:
        if self.path is None or not self.path.exists():
            return []
        try:
            return [
                _remembered(one) for one in json.loads(self.path.read_text("utf-8"))
            ]
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise ValueError(
                f"the list of your model files, {self.path}, cannot be read "
                f"({problem}): mend or delete it, and load the models again"
            ) from problem

    def _write(self, known: list[Remembered]) -> None:
        if self.path is None:
            return
        rows = [
            {
                "path": str(one.model.path),
                "answer": one.model.answer,
                "is_missed": one.is_missed,
            }
            for one in known
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path) as unfinished:
            unfinished.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _remembered(row: dict[str, object]) -> Remembered:
    answer = str(row["answer"])
    if answer not in ANSWERS:
        raise ValueError(f"there is no answer {answer!r}")
    model = OwnModel(Path(str(row["path"])), answer)
    return Remembered(model, is_missed=row.get("is_missed") is True)
