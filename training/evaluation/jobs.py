"""What is to be measured: every method, data set and robot, image by image."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from training.datasets import DATASETS, open_dataset, subset
from training.datasets.sampling import image_of
from training.evaluation.clicking import Clicking
from training.evaluation.curve_files import Group, Settings
from training.evaluation.methods import Method, checked
from training.metrics import MOST
from training.revision import revision
from training.robots import ROBOTS

DEGRADED = " (degraded)"  # after a data set's name: the first click corrects a mask
OTHERS = " (others given)"
OBJECTS_A_JOB = 8  # at most: what a kill may cost, and what one core gets at a time

Sample: TypeAlias = tuple[str, str, str, str]  # method, data set, robot, object


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the caller wants measured: every combination.

    ``data`` are names of ``DATASETS`` or paths; ``limit`` is the number of objects of
    each, 0 for all.
    """

    methods: tuple[Method, ...]
    data: tuple[str, ...]
    robots: tuple[str, ...]
    root: Path
    limit: int = 0
    clicks: int = MOST
    from_degraded: bool = False
    with_others: bool = False

    def check(self) -> None:
        """Refuse what cannot be done before anything is done.

        Raises
        ------
        ValueError
            If a method, data set or robot is unknown or there twice, or a number is
            out of its range.
        """
        for robot in self.robots:
            if robot not in ROBOTS:
                raise ValueError(
                    f"no robot is called '{robot}'; there are {list(ROBOTS)}"
                )
        if self.clicks < 1 or self.limit < 0:
            raise ValueError(
                f"--clicks must be at least 1 and --limit at least 0, got "
                f"{self.clicks} and {self.limit}"
            )
        for kind in ([self.title_of(data) for data in self.data], self.robots):
            twice = [name for name in kind if kind.count(name) > 1]
            if twice:
                raise ValueError(f"'{twice[0]}' is asked for twice")
        checked(self.methods)

    def settings(self, method: Method) -> Settings:
        return Settings(
            weights=method.weights_mark,
            device=method.device,
            clicks=self.clicks,
            start="degraded" if self.from_degraded else "nothing",
            others=self.with_others,
            revision=revision(),
        )

    def title_of(self, data: str) -> str:
        """What tables call a data set: its name, or the last part of its path."""
        name = data if data in DATASETS else Path(data).name or data
        return name + DEGRADED * self.from_degraded + OTHERS * self.with_others

    @property
    def how(self) -> Clicking:
        return Clicking(
            most=self.clicks,
            from_degraded=self.from_degraded,
            with_others=self.with_others,
        )

    def groups(self) -> dict[Group, Settings]:
        """Method, data set and robot of every combination, in the order asked."""
        settings = {method: self.settings(method) for method in self.methods}
        return {
            (method.title, self.title_of(data), robot): settings[method]
            for data in self.data
            for robot in self.robots
            for method in self.methods
        }

    def jobs(self) -> list[Job]:
        return [job for data in self.data for job in self.jobs_of(data)]

    def jobs_of(self, data: str) -> Iterator[Job]:
        samples = subset(open_dataset(data, self.root), self.limit, seed=0)
        for robot in self.robots:
            for method in self.methods:
                how = replace(self.how, is_oracle=method.is_oracle)
                for part in parts_of(samples):
                    title = self.title_of(data)
                    yield Job(method, data, title, self.root, robot, part, how)


def parts_of(samples: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The objects of one image, a few at a time."""
    for _, group in groupby(samples, image_of):
        names = list(group)
        for first in range(0, len(names), OBJECTS_A_JOB):
            yield tuple(names[first : first + OBJECTS_A_JOB])


@dataclass(frozen=True, slots=True)
class Job:
    """Some objects of one image for one method and one robot: a unit of work."""

    method: Method
    data: str
    title: str  # of the data set
    root: Path
    robot: str
    samples: tuple[str, ...]
    how: Clicking

    @property
    def group(self) -> Group:
        return self.method.title, self.title, self.robot

    def without(self, done: Collection[Sample]) -> Job:
        """The same without the objects that are measured already."""
        left = tuple(one for one in self.samples if (*self.group, one) not in done)
        return replace(self, samples=left)
