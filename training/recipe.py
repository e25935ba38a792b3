"""A training run's constants in one frozen value, each overridable by name."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from torch.optim import AdamW, Optimizer

from training.samples import SIMULATED, SampleSettings

if TYPE_CHECKING:
    from training.trainable import Trainable

PRECISIONS = ("bf16", "fp32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained, whichever it is. What is trained: ``trainable``.

    ``steps`` may grow when a run is resumed.
    """

    name: str = ""  # of recipe and preset, for cards
    width: float = 1.0  # of the network
    steps: int = 6000
    stages: tuple[float, ...] = (1.0,)  # shares of the steps, of what trains in stages
    batch: int = 16  # samples a step, over all processes
    accumulate: int = 1  # parts a process works through one by one: less memory
    precision: str = "bf16"  # of the activations; or "fp32"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: int = 200  # steps
    decay: float = 0.3  # last share of the steps, to zero
    average: float = 0.999  # of the weights, per step
    settled: float = 0.0  # last share of a stage, its batch norms as at run time
    clip: float = 2.0  # gradient norm
    no_gradient: tuple[float, ...] = (
        0.35,
        0.3,
        0.2,
        0.15,
    )  # chances of 0, 1, ... clicks
    corrections: bool = True  # the last clicks fall on the network's own errors, too
    validate: int = 500  # steps between looks at the held-out images; 0: never
    validated: int = 192  # held-out samples
    clicked: int = 24  # held-out objects that a robot clicks on; 0: none
    patience: int = 0  # looks without fewer clicks that end a run; 0: never
    seed: int = 0
    without: tuple[str, ...] = ()  # data sets left out
    samples: SampleSettings = field(default_factory=SampleSettings)

    def trainable(self, stage: int = 0) -> Trainable:
        """What is trained in a stage, 0 for the first."""
        raise NotImplementedError(f"{type(self).__name__} has to say what is trained")

    def batch_at(self, _step: int) -> int:
        """Samples of a step, over all processes."""
        return self.batch

    def samples_before(self, step: int) -> int:
        """Samples that the steps before ``step`` took."""
        firsts = [min(first, step) for first in self.first_steps()]
        return sum(
            (last - first) * self.batch_at(first) for first, last in pairwise(firsts)
        )

    def rate_at(self, _stage: int, _done: float) -> float:
        """The learning rate when a share of a stage is done."""
        return self.learning_rate

    def optimiser_of(self, groups: list[dict[str, Any]]) -> Optimizer:
        return AdamW(groups, self.learning_rate, weight_decay=self.weight_decay)

    def check(self) -> None:
        """ValueError if a recipe's own settings do not go together."""

    def first_steps(self) -> list[int]:
        """The step at which each stage begins; then the number of all steps."""
        shares = [sum(self.stages[:number]) for number in range(len(self.stages))]
        return [*(round(share * self.steps) for share in shares), self.steps]

    def stage_at(self, step: int) -> int:
        """The stage that takes ``step``, 0 for the first."""
        begun = [first for first in self.first_steps()[:-1] if first <= step]
        return max(0, len(begun) - 1)


R = TypeVar("R", bound=Recipe)
T = TypeVar("T")


def one_of(choices: Mapping[str, T], setting: str, name: str) -> T:
    """What ``name`` stands for; ValueError says what there is."""
    if name not in choices:
        raise ValueError(f"{setting}={name!r} is not one of {list(choices)}")
    return choices[name]


def overridden(recipe: R, assignments: Sequence[str]) -> R:
    """``recipe`` with ``name=value`` settings; ``samples.name`` reaches the windows.

    Raises
    ------
    ValueError
        For a name that does not exist (with the nearest one), a value that is not a
        Python literal or is of another type, or settings that do not go together.
    """
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        recipe = with_setting(recipe, name.strip(), text)
    check(recipe)
    return recipe


def with_setting(settings: Any, name: str, text: str) -> Any:
    """``settings`` with one value changed; dots lead into settings inside settings."""
    first, _, rest = name.partition(".")
    inner = getattr(settings, first, None)
    if rest and is_dataclass(inner):
        return replace(settings, **{first: with_setting(inner, rest, text)})
    return changed(settings, name, text)


def check(recipe: Recipe) -> None:
    """Refuse settings that do not go together; ValueError names them."""
    recipe.check()
    if recipe.precision not in PRECISIONS:
        raise ValueError(
            f"precision={recipe.precision!r} is not one of {list(PRECISIONS)}"
        )
    if recipe.samples.strategy not in SIMULATED:
        raise ValueError(
            f"samples.strategy={recipe.samples.strategy!r} is not one of "
            f"{list(SIMULATED)}"
        )
    for name in ("steps", "batch", "accumulate", "samples.side", "warm_up"):
        value = attrgetter(name)(recipe)
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if recipe.samples.side % 16:
        raise ValueError(
            f"samples.side must be a multiple of 16, got {recipe.samples.side}"
        )
    if min(recipe.stages, default=0) <= 0 or abs(sum(recipe.stages) - 1) > 1e-6:
        raise ValueError(
            f"stages={recipe.stages} must be shares of the steps, above 0, that add up "
            "to 1"
        )
    if recipe.batch % recipe.accumulate:
        raise ValueError(
            f"batch={recipe.batch} cannot be shared out in accumulate="
            f"{recipe.accumulate} equal parts; choose a multiple"
        )


def check_stages(recipe: Recipe) -> None:
    """Refuse a run that is too short for its stages; ValueError says for which one."""
    for number, (first, end) in enumerate(pairwise(recipe.first_steps()), 1):
        if first == end:
            raise ValueError(
                f"steps={recipe.steps} leaves stage {number} of {len(recipe.stages)} "
                "without a step; set more steps"
            )


def changed(settings: Any, name: str, text: str) -> Any:
    names = [f.name for f in fields(settings)]
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; there are {names}"
        raise ValueError(f"there is no setting called '{name}'{hint}")
    old = getattr(settings, name)
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError) as problem:
        raise ValueError(
            f"'{text}' is not a value for '{name}': {problem}"
        ) from problem
    if not is_like(value, old):
        raise ValueError(
            f"'{text}' is not a value for '{name}': it is {type(value).__name__}, "
            f"a value like {old!r} is needed"
        )
    return replace(settings, **{name: value})


def is_like(value: Any, old: Any) -> bool:
    """Whether a value may stand where ``old`` did: a whole number may for a real one.

    Nothing is known about what may replace None.
    """
    if old is None or (isinstance(old, float) and type(value) is int):
        return True
    return type(value) is type(old)
