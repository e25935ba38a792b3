"""Robot users: where the next click goes, given the truth and the answer so far."""

from __future__ import annotations

from collections.abc import Mapping

from napari_iseg.widest_error import (
    deeper_error,
    depth_of,
    error_depths,
    exact_distance,
)
from training.robots.brs import BrsAsWritten
from training.robots.fctsfn import Fctsfn
from training.robots.hasty import Hasty
from training.robots.human import Human
from training.robots.itis import Itis, ItisRandom
from training.robots.latent_diversity import LatentDiversity
from training.robots.ris_net import RisNet
from training.robots.ritm import Ritm
from training.robots.robot import Rng, RobotUser

__all__ = [
    "ROBOTS",
    "BrsAsWritten",
    "Fctsfn",
    "Hasty",
    "Human",
    "Itis",
    "ItisRandom",
    "LatentDiversity",
    "RisNet",
    "Ritm",
    "Rng",
    "RobotUser",
    "deeper_error",
    "depth_of",
    "error_depths",
    "exact_distance",
]

ROBOTS: Mapping[str, RobotUser] = {
    "ritm": Ritm(),
    "brs-paper": BrsAsWritten(),
    "brs-code": Ritm(),  # what BRS released became the rule of f-BRS and RITM
    "ris-net": RisNet(),
    "fctsfn": Fctsfn(),
    "itis": Itis(),
    "itis-cluster-sample": Itis(is_cluster_drawn=True),
    "itis-random": ItisRandom(),
    "latent-diversity": LatentDiversity(),
    "human": Human(),
    "hasty": Hasty(),
}
