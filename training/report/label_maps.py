"""Finished label maps: what an image looks like when all its objects are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.datasets import image_of
from training.evaluation.curve_files import Group, Result
from training.metrics import InstanceQuality, instance_quality
from training.report.replays import Replays

TARGET = 0.9  # IoU at which a user is content and accepts

TITLES = [
    "method",
    "data",
    "robot",
    "images",
    "objects",
    "clicks an image",
    "clicks an object",
    "mSA",
    "AP50",
    "PQ",
    "SQ",
    "RQ",
]


@dataclass(frozen=True, slots=True)
class Finished:
    """The label maps of one method, data set and robot."""

    group: Group
    maps: tuple[InstanceQuality, ...]

    @property
    def line(self) -> list[str]:
        """A line of the table: means over the images."""
        objects = sum(one.objects for one in self.maps)
        clicks = sum(one.clicks or 0 for one in self.maps)
        qualities = [
            np.mean([one.msa for one in self.maps]),
            np.mean([one.precision(0.5) for one in self.maps]),
            np.mean([one.pq for one in self.maps]),
            np.mean([one.sq for one in self.maps]),
            np.mean([one.rq for one in self.maps]),
        ]
        return [
            *self.group,
            str(len(self.maps)),
            str(objects),
            f"{clicks / len(self.maps):.1f}",
            f"{clicks / objects:.2f}",
            *(f"{quality:.3f}" for quality in qualities),
        ]


def finished(results: Sequence[Result], replays: Replays) -> Finished:
    """Accept every object of one group when it is right, image by image.

    An object is accepted at an IoU of 90 % or when the robot made its last click; a
    pixel that two of them claim stays with the earlier one, as in the plugin. Objects
    that were not measured are left out of truth and label map.

    Raises
    ------
    ValueError
        As ``Replays.case``.
    """
    images: dict[str, list[Result]] = {}
    for result in results:
        images.setdefault(image_of(result.curve.sample), []).append(result)
    maps = tuple(quality(parts, replays) for parts in images.values())
    return Finished(results[0].group, maps)


def quality(results: Sequence[Result], replays: Replays) -> InstanceQuality:
    """One image."""
    made = [clicks_made(result) for result in results]
    cases = [replays.case(result, n) for result, n in zip(results, made, strict=True)]
    grid = cases[0].found.truth.shape
    truth, labels = np.zeros(grid, np.int32), np.zeros(grid, np.int32)
    ignored = np.zeros(grid, bool)
    for label, case in enumerate(cases, start=1):
        truth[case.found.truth] = label
        labels[case.predicted & (labels == 0)] = label
        ignored |= case.found.ignored
        if case.found.others is not None:
            ignored |= case.found.others
    return instance_quality(labels, truth, ignored & (truth == 0), clicks=sum(made))


def clicks_made(result: Result) -> int:
    """Until the object is right, or all of them."""
    needed = result.curve.clicks_to(TARGET)
    return len(result.curve.clicks) if needed is None else needed
