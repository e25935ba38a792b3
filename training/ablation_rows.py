"""The ideas that can be left out, and the data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from training.recipe import Recipe

HELD_OUT: Mapping[str, str] = {  # training set: what of it nothing is trained on
    "dsb2018": "dsb2018/val",
    "usiigaci": "usiigaci/val",
    "sem_axons": "sem_axons/val",
    "bacteria_phase": "bacteria_phase/val",
    "plant_sem_chloroplasts": "chloroplasts/val",
    "plant_clsm_ovule": "ovule/val",
}
ALL = "all"  # the row with all ideas


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One idea that is left out.

    Attributes
    ----------
    idea
        What is left out, in words.
    settings
        "NAME=VALUE" of the recipe: a network of its own is trained.
    policy
        "NAME=VALUE" of the window policy: no training.
    with_others
        The neighbours are accepted already while the robot clicks.
    against
        The row that it is compared with.
    recipe
        The network of another recipe, with what the table's recipe has in common.
    robot
        Who clicks, if not the robot of the others.
    paper
        What the paper found, in words.
    """

    idea: str
    settings: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    with_others: bool = False
    against: str = ALL
    recipe: str = ""
    robot: str = ""
    paper: str = ""

    @property
    def is_trained(self) -> bool:
        """Whether it has a network of its own."""
        return bool(self.settings or self.recipe)


ROWS: Mapping[str, Row] = {
    ALL: Row(idea="nothing: all ideas together"),
    "neighbours": Row(
        idea="nothing; the neighbours are accepted and shown",
        with_others=True,
        against="neighbours",
    ),
    "hypotheses": Row(idea="several hypotheses: one", settings=("hypotheses=1",)),
    "others": Row(  # not shown the map either: it never learnt to read it
        idea="the map of other objects",
        settings=("others=False",),
        against="neighbours",
    ),
    "iterations": Row(
        idea="clicks on the network's own errors before it learns",
        settings=("no_gradient=(1.0,)",),
    ),
    "degraded": Row(
        idea="starts from spoilt masks", settings=("samples.degraded=0.0",)
    ),
    "cameras": Row(
        idea="varied cameras, stains and file formats",
        settings=("samples.varied=0.0",),
    ),
    "modalities": Row(
        idea="real shapes in rendered modalities", settings=("samples.rendered=0.0",)
    ),
    "shapes": Row(idea="drawn shapes", settings=("samples.drawn=0.0",)),
    "conventions": Row(
        idea="outlines as others would draw them", settings=("samples.convention=0.0",)
    ),
    "overviews": Row(
        idea="training at the extents of the first look",
        settings=("samples.overview=0.0",),
    ),
    "correction": Row(
        idea="correction at test time: levels and second tries",
        policy=("level=0.0", "retry=False"),
    ),
    "scales": Row(
        idea="the choice of a scale at the first click",
        policy=("overviews=(144,)", "candidates=1", "reconsider=0"),
    ),
}


def with_references(
    rows: Sequence[str],
    left_out: Sequence[str],
    table: Mapping[str, Row] = ROWS,
) -> dict[str, Row]:
    """The rows and those they are compared with, in the order of ``table``."""
    for name in rows:
        if name not in table:
            near = get_close_matches(name, table, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {list(table)}"
            raise ValueError(f"no row is called '{name}'; {hint}")
    needed = {*rows, *(table[name].against for name in rows)}
    needed |= {ALL} if rows or left_out else set()
    return {name: row for name, row in table.items() if name in needed}


def check_left_out(name: str, recipe: Recipe) -> None:
    if name not in HELD_OUT or name in recipe.without:
        there = [one for one in HELD_OUT if one not in recipe.without]
        raise ValueError(
            f"'{name}' cannot be left out and measured: choose one of {there}, which "
            "are trained on and have held-out images"
        )
