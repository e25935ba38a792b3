"""What the output of a network means: which of its numbers say "object"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

SURE = 1e-7  # keeps the log-odds of probabilities finite
ROUNDING = 1e-3  # by which probabilities may leave 0..1, or miss 1 as their sum
USUAL = ("out", "logits")  # what torchvision and transformers call it

Key: TypeAlias = str | int | None


class Output(Protocol):
    """Reads an output as the log-odds of belonging to the object."""

    @property
    def key(self) -> Key:
        """Which tensor it is, where the network gives several."""
        ...

    def objects(self, made: Tensor) -> Tensor:
        """``(1, K, H, W)`` to log-odds ``(1, H, W)``; differentiable."""
        ...

    def classes(self, made: Tensor) -> Tensor:
        """``(1, K, H, W)`` to log-odds of each class ``(K, H, W)``; differentiable."""
        ...

    def check(self, made: Tensor) -> None:
        """ValueError if such an output cannot mean this."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """One channel: object or not.

    Attributes
    ----------
    probabilities
        Whether the network ends in a sigmoid; else it gives logits.
    key
        Of the tensor, where the network gives a dictionary or a tuple. None: "out",
        "logits", or the only one.
    """

    probabilities: bool = False
    key: Key = None

    def objects(self, made: Tensor) -> Tensor:
        return (log_odds(made) if self.probabilities else made)[:, 0]

    def classes(self, made: Tensor) -> Tensor:
        return self.objects(made)

    def check(self, made: Tensor) -> None:
        if made.shape[1] != 1:
            raise ValueError(
                f"the network gives {made.shape[1]} channels, not one; say "
                "output=Softmax() if a pixel has one of these classes, or "
                "output=MultiLabel(...) if it may have several"
            )
        check_probabilities(made, wanted=self.probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """One channel for each class; a pixel has one of them.

    Attributes
    ----------
    foreground
        The class that a positive click means, or several; None: all but class 0.
    probabilities
        Whether the network ends in a softmax; else it gives logits.
    key
        See ``Binary``.
    """

    foreground: int | tuple[int, ...] | None = None
    probabilities: bool = False
    key: Key = None

    def objects(self, made: Tensor) -> Tensor:
        wanted = self.wanted(made)
        inside = made[:, wanted]
        if self.probabilities:
            return log_odds(inside.sum(1))
        outside = made[:, ~wanted]
        return inside.logsumexp(1) - outside.logsumexp(1)

    def classes(self, made: Tensor) -> Tensor:
        if self.probabilities:
            return log_odds(made[0])
        logs = made[0].log_softmax(0)
        return logs - torch.log1p(-logs.exp().clamp(max=1 - SURE))

    def wanted(self, made: Tensor) -> Tensor:
        """Which classes are foreground, ``(K,)`` bool."""
        chosen = torch.zeros(made.shape[1], dtype=torch.bool, device=made.device)
        if self.foreground is None:
            chosen[1:] = True
        else:
            chosen[indices(self.foreground)] = True
        return chosen

    def check(self, made: Tensor) -> None:
        count = made.shape[1]
        if count < 2:
            raise ValueError(
                "the network gives one channel: there are no classes to choose from; "
                "say output=Binary()"
            )
        check_classes(indices(self.foreground), count)
        if self.wanted(made).all():
            raise ValueError(
                f"all {count} classes are foreground; leave one out, or nothing is "
                "left for negative clicks"
            )
        check_probabilities(made, wanted=self.probabilities)
        sums = made.sum(1)
        if self.probabilities and not (sums - 1).abs().max() <= ROUNDING:
            raise ValueError(
                "the probabilities of a pixel's classes do not add up to 1 but to "
                f"{float(sums.max()):.3g}; say output=MultiLabel(...) if a pixel may "
                "have several classes"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabel:
    """One channel for each class, each with a sigmoid of its own.

    Attributes
    ----------
    foreground
        The class that a positive click means.
    probabilities
        Whether the network ends in a sigmoid; else it gives logits.
    key
        See ``Binary``.
    """

    foreground: int
    probabilities: bool = False
    key: Key = None

    def objects(self, made: Tensor) -> Tensor:
        return self.classes(made)[self.foreground][None]

    def classes(self, made: Tensor) -> Tensor:
        return (log_odds(made) if self.probabilities else made)[0]

    def check(self, made: Tensor) -> None:
        check_classes([self.foreground], made.shape[1])
        check_probabilities(made, wanted=self.probabilities)


def guessed(made: Tensor) -> Output:
    """What an output means if nothing was said.

    Raises
    ------
    ValueError
        If that cannot be seen.
    """
    if made.shape[1] != 1:
        Binary().check(made)
    if made.min() >= 0 and made.max() <= 1:
        raise ValueError(
            "the network's output lies within 0..1: say "
            "output=Binary(probabilities=True) if it ends in a sigmoid, "
            "output=Binary() if these are logits"
        )
    return Binary()


def tensor_of(made: Any, key: Key) -> Tensor:
    """The ``(1, K, H, W)`` in whatever a network returns.

    Raises
    ------
    ValueError
        If it is not clear which tensor is meant, or its shape is not an image's.
    """
    chosen = item_of(made, key) if names_of(made) or key is not None else made
    if not isinstance(chosen, Tensor):
        raise ValueError(  # noqa: TRY004 - a sentence for whoever chose the network
            f"the network's output is a {type(chosen).__name__}, not a tensor; wrap it "
            "in a module that returns one"
        )
    if chosen.ndim == 3:
        chosen = chosen[:, None]
    if chosen.ndim != 4 or chosen.shape[0] != 1 or 0 in chosen.shape:
        raise ValueError(
            f"the network's output has shape {tuple(chosen.shape)}, expected (1, "
            "classes, height, width): a number for each pixel"
        )
    return chosen


def item_of(made: Any, key: Key) -> Any:
    """One of several tensors; ValueError if it is not clear which."""
    names = names_of(made)
    if key is None:
        known = [name for name in USUAL if name in names]
        chosen = known or names
        if len(chosen) == 1:
            return made[chosen[0]]
        raise ValueError(
            f"the network gives several tensors, {names}; choose one, as in "
            f"output=Binary(key={names[0]!r})"
        )
    if key not in names:
        there = f"there are {names}" if names else "it gives a single tensor"
        raise ValueError(f"the network's output has no {key!r}: {there}")
    return made[key]


def names_of(made: Any) -> list[Any]:
    """What may be asked for in an output; nothing in a tensor."""
    if isinstance(made, Mapping):
        return list(made)
    return list(range(len(made))) if isinstance(made, (tuple, list)) else []


def indices(foreground: int | tuple[int, ...] | None) -> list[int]:
    """As a list; empty if none was named."""
    if foreground is None:
        return []
    return [foreground] if isinstance(foreground, int) else list(foreground)


def check_classes(chosen: list[int], count: int) -> None:
    """ValueError if the network has no such class."""
    beyond = [one for one in chosen if not 0 <= one < count]
    if beyond:
        raise ValueError(
            f"there is no class {beyond[0]}: the network has classes 0 to {count - 1}"
        )


def check_probabilities(made: Tensor, *, wanted: bool) -> None:
    """ValueError if they should be and are not."""
    low, high = float(made.min()), float(made.max())
    if wanted and not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise ValueError(
            f"the network's output reaches from {low:.3g} to {high:.3g}: these are no "
            "probabilities; say probabilities=False"
        )


def log_odds(probability: Tensor) -> Tensor:
    """Finite for 0 and 1, too."""
    return torch.logit(probability, eps=SURE)
