"""A training run's constants in one frozen value, each overridable by name."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from training.samples import SampleSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How ``cells`` is trained. ``steps`` may grow when a run is resumed."""

    width: int = 32
    hypotheses: int = 3
    disc_radius: float = 3.0
    steps: int = 6000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: int = 200  # steps
    decay: float = 0.3  # last share of the steps, to zero
    average: float = 0.999  # of the weights, per step
    clip: float = 2.0  # gradient norm
    best_wide: float = 0.85  # share of the best hypothesis in the loss, first click
    best_zoom: float = 0.5  # the same with an answer to start from
    no_gradient: tuple[float, ...] = (
        0.35,
        0.3,
        0.2,
        0.15,
    )  # chances of 0, 1, ... clicks
    validate: int = 500  # steps between looks at the held-out images; 0: never
    validated: int = 192  # held-out samples
    seed: int = 0
    without: tuple[str, ...] = ()  # data sets left out
    samples: SampleSettings = field(default_factory=SampleSettings)


def overridden(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """``recipe`` with ``name=value`` settings; ``samples.name`` reaches the windows.

    Raises
    ------
    ValueError
        For a name that does not exist (with the nearest one) or a value that is not a
        Python literal.
    """
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name.startswith("samples."):
            inner = changed(recipe.samples, name.removeprefix("samples."), text)
            recipe = replace(recipe, samples=inner)
        else:
            recipe = changed(recipe, name, text)
    return recipe


def changed(settings: Any, name: str, text: str) -> Any:
    names = [f.name for f in fields(settings)]
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; there are {names}"
        raise ValueError(f"there is no setting called '{name}'{hint}")
    try:
        return replace(settings, **{name: ast.literal_eval(text)})
    except (SyntaxError, ValueError) as problem:
        raise ValueError(
            f"'{text}' is not a value for '{name}': {problem}"
        ) from problem
