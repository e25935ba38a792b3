"""Robot users: where the next click goes, given the truth and the answer so far."""

from __future__ import annotations

from collections.abc import Mapping

from training.robots.errors import deeper_error, depth_of, error_depths
from training.robots.hasty import Hasty
from training.robots.ritm import Ritm
from training.robots.robot import Rng, RobotUser

__all__ = [
    "ROBOTS",
    "Hasty",
    "Ritm",
    "Rng",
    "RobotUser",
    "deeper_error",
    "depth_of",
    "error_depths",
]

ROBOTS: Mapping[str, RobotUser] = {"ritm": Ritm(), "hasty": Hasty()}
