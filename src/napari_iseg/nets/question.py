"""A question to a network whose answer can be differentiated: what refinement needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_iseg.nets.window_model import Hypotheses


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One window that was looked at, with its clicks.

    Attributes
    ----------
    net
        The network that is asked.
    maps
        ``(1, 2, N, N)``: interaction maps of the clicks, as the network reads them.
    step
        How far a click moves its own pixel of a map.
    ask
        From maps to logits ``(M, N, N)`` and scores ``(M,)``; differentiable.
    rated
        The answer with its scores as the method gives them.
    """

    net: nn.Module
    maps: Tensor
    step: float
    ask: Callable[[Tensor], tuple[Tensor, Tensor]]
    rated: Callable[[Hypotheses], Hypotheses]


def owned(made: Any) -> Any:
    """Tensors, alone or in tuples and lists, as copies that nobody else writes into.

    Copies of tensors from inference mode may be differentiated through.
    """
    if isinstance(made, Tensor):
        return made.clone()
    if isinstance(made, tuple) and hasattr(made, "_fields"):
        return type(made)(*(owned(one) for one in made))
    if isinstance(made, (tuple, list)):
        return type(made)(owned(one) for one in made)
    return made
