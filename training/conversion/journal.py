"""Images that were measured already: a line of JSON each, so that a command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """Rows of one question; other questions may be in the same file.

    Attributes
    ----------
    path
        The file; made when the first row is written.
    question
        What is the same for all rows: weights, data set, robot and so on.
    """

    path: Path
    question: Mapping[str, Any]

    def rows(self, names: Iterable[str], measure: Callable[[str], Row]) -> list[Row]:
        """A row for each name, in order; what is not in the file is measured.

        Raises
        ------
        ValueError
            If a line of the file is no row.
        """
        known = self.known()
        found = []
        for name in tqdm(list(names), mininterval=10):
            if name not in known:
                self.add(name, measure(name))
                known = self.known()
            found.append(known[name])
        return found

    def known(self) -> dict[str, Row]:
        """Rows of this question, by name."""
        if not self.path.exists():
            return {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        entries = [self.entry(number, line) for number, line in enumerate(lines, 1)]
        wanted = json.loads(json.dumps(self.question))
        return {one["name"]: one["row"] for one in entries if one["of"] == wanted}

    def entry(self, number: int, line: str) -> Row:
        try:
            found: Row = json.loads(line)
            _ = found["name"], found["row"], found["of"]
        except (json.JSONDecodeError, KeyError, TypeError) as problem:
            raise ValueError(
                f"line {number} of {self.path} is no row of a table ({problem!r}); "
                "remove it, or choose another file with -o"
            ) from problem
        return found

    def add(self, name: str, row: Row) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"of": dict(self.question), "name": name, "row": row})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
