"""Desks for tests: with a hand-cranked runner, and in a real napari window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_iseg.gui.desk import WorkDesk
from napari_iseg.gui.engine import Engine
from napari_iseg.gui.preferences import Preferences
from tests.fakes import BrightFinder, BrightSegmenter


def squares(*shape: int) -> np.ndarray:
    """Dark, with two bright squares in the last two axes."""
    image = np.zeros(shape, np.uint8)
    image[..., 10:20, 10:20] = 200
    image[..., 30:50, 30:50] = 250
    return image


@dataclass
class HandCranked:
    """Runs nothing until it is turned."""

    jobs: list[tuple[Callable[[], Any], Any, Any]] = field(default_factory=list)
    done: int = 0

    def start(self, job: Any, done: Any, failed: Any) -> None:
        self.jobs.append((job, done, failed))

    def turn(self) -> None:
        job, done, failed = self.jobs.pop(0)
        self.done += 1
        try:
            answer = job()
        except Exception as problem:  # noqa: BLE001 - as the real runner does
            failed(problem)
        else:
            done(answer)

    def turn_all(self) -> None:
        while self.jobs:
            self.turn()


@dataclass
class Heard:
    """What the user was told."""

    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def info(self, message: str) -> None:
        self.infos.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def error(self, message: str) -> None:
        self.errors.append(message)


class Bench:
    """A desk on napari's model of a viewer: no window, no thread, no Qt."""

    def __init__(
        self,
        image: np.ndarray | None = None,
        preferences: Preferences | None = None,
        **layer: Any,
    ) -> None:
        self.viewer = ViewerModel()
        if image is not None:
            self.viewer.add_image(image, name="cells", **layer)
        self.runner = HandCranked()
        self.heard = Heard()
        self.segmenter = BrightSegmenter()
        self.finder = BrightFinder()
        self.later: list[Callable[[], None]] = []
        self.desk = WorkDesk(
            self.viewer,
            self.runner,
            Engine(
                lambda name, *, device: self.segmenter,
                lambda name, *, device: self.finder,
            ),
            tell=self.heard,
            later=self.later.append,
            redraw=lambda: None,
            preferences=preferences or Preferences(),
        )
        self.desk.open_image(self.desk.layers.active_image)
        self.settle()

    def layer(self, name: str) -> Any:
        return self.viewer.layers[name]

    @property
    def positive(self) -> Any:
        return self.layer("iseg positive")

    @property
    def objects(self) -> Any:
        return self.layer("iseg objects")

    @property
    def session(self) -> Any:
        return self.desk.session

    def settle(self) -> None:
        """Let everything happen that waits."""
        while self.later or self.runner.jobs:
            while self.later:
                self.later.pop(0)()
            self.runner.turn_all()

    def click(self, *position: float) -> None:
        self.positive.add(position)
        self.settle()

    def accept(self) -> None:
        self.desk.controller.do(lambda s: s.accept())
        self.settle()


@pytest.fixture
def bench() -> Bench:
    return Bench(squares(60, 70))
