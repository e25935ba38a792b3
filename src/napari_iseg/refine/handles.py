"""What a refinement turns to make a network obey: its maps, or features inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.question import Question
from napari_iseg.nets.rerun import rerun

# Interaction maps (BRS); scale and bias of features deep inside, half way and near the
# end (f-BRS A, B, C); weights and bias of the last layer.
Variant: TypeAlias = Literal["maps", "a", "b", "c", "last"]

# Where the features are, for each network. A: the deepest ones; B: where the decoder
# begins to see finer ones; C: those of the last block.
LAYERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "CellsNet": {
            "a": "bottom",
            "b": "up_quarter",
            "c": "up_half",
            "last": "fine_out",
        },
        "BRS": {
            "a": "coarse.blocks.0",
            "b": "coarse.blocks.3",
            "c": "fine.mix",
            "last": "fine.predict",
        },
        "FCTSFN": {
            "a": "two_streams.fusion.0",
            "b": "refining.refine.0",
            "c": "refining.refine.4",
            "last": "refining.out",
        },
        "IFCN": {
            "a": "head.fc6",
            "b": "head.fc7",
            "c": "head.score",
            "last": "head.score",
        },
        "ITIS": {"a": "context", "b": "decode.0", "c": "decode.1", "last": "score"},
        "LatentDiversity": {
            "a": "segment.layers.0",
            "b": "segment.layers.4",
            "c": "segment.layers.8",
            "last": "segment.out",
        },
        "RISNet": {
            "a": "trunk",
            "b": "local.drop",  # after conv7, which is no call of its own
            "c": "local.conv8",
            "last": "local.conv8",
        },
    }
)

Masks: TypeAlias = tuple[Tensor, Tensor]  # logits (M, N, N), scores (M,)


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """Numbers that change a network's answer; at zero it is the network's own.

    Attributes
    ----------
    shape
        Of the numbers.
    answer
        From them to the masks; differentiable.
    plain
        The network's own masks, where they are known.
    """

    shape: tuple[int, ...]
    answer: Callable[[Tensor], Masks]
    plain: Masks | None = None

    @property
    def size(self) -> int:
        return prod(self.shape)

    def masks(self, values: NDArray[np.float64]) -> Masks:
        """The answer without gradients."""
        if self.plain is not None and not values.any():
            return self.plain
        with torch.no_grad():
            return self.answer(self.turned(values))

    def turned(self, values: NDArray[np.float64]) -> Tensor:
        """The numbers as the network takes them."""
        return torch.from_numpy(values).float().reshape(self.shape)


def handle(question: Question, variant: Variant) -> Handle:
    """What ``variant`` turns of the network that ``question`` is for.

    Raises
    ------
    ValueError
        If it is not known where the network has such features.
    """
    if variant == "maps":
        return of_maps(question)
    name = type(question.net).__name__
    layers = getattr(question.net, "own_layers", None) or LAYERS.get(name, {})
    if variant not in layers:
        raise ValueError(
            f"there is no variant {variant!r} for {name}; choose 'maps', or name the "
            "layer in napari_iseg.refine.handles.LAYERS"
        )
    return of_layer(question, layers[variant], is_last=variant == "last")


def of_maps(question: Question) -> Handle:
    """The interaction maps, in units of what a click does to its own pixel."""

    def answer(change: Tensor) -> Masks:
        moved = question.step * change.to(question.maps.device)
        return question.ask(question.maps + moved)

    return Handle(tuple(question.maps.shape), answer)


def of_layer(question: Question, layer: str, *, is_last: bool) -> Handle:
    """Scale and bias of each channel of a layer, or all weights of a convolution."""
    again = rerun(question.net, lambda: question.ask(question.maps), layer)
    at = again.at
    if is_last and isinstance(at, nn.Conv2d):
        outputs, rest = at.weight.shape[0], at.weight[0].numel()

        def other_weights(change: Tensor) -> Masks:
            weight, bias = change.to(at.weight).split([rest, 1], 1)
            return again(
                lambda given, made: (
                    made
                    + F.conv2d(
                        given,
                        weight.reshape(at.weight.shape),
                        bias[:, 0],
                        at.stride,
                        at.padding,
                        at.dilation,
                    )
                )
            )

        return Handle((outputs, rest + 1), other_weights, again.plain)

    def other_features(change: Tensor) -> Masks:
        scale, bias = change.to(question.maps.device)[..., None, None]
        return again(lambda _, made: made * (1 + scale) + bias)

    return Handle((2, again.channels), other_features, again.plain)
