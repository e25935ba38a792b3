"""Networks that give each pixel a class, without clicks: how they are trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.own.reads import grey
from napari_iseg.nets.papers.description import Description, read_network
from napari_iseg.refine.conversion import Softmax, make_interactive
from napari_iseg.segmenter import Segmenter
from training.engine import Trainer
from training.fields import Field, FieldSettings
from training.paper_recipe import PaperRecipe
from training.trainable import WIDE, Points, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseRecipe(PaperRecipe):
    """How such a network is trained; see ``PaperRecipe`` for what is not here."""

    fields: FieldSettings = field(default_factory=FieldSettings)
    limits: str = ""  # for the card of the weights
    looked_at: int = 512  # pixels a side of held-out images, from their middle
    channels: int = 3  # of the image: 3 for colours, 1 for grey
    lost: int = 0  # rows and columns of a field that there is no answer for


@dataclass(frozen=True, slots=True)
class Dense:
    """A network of ``CONVERTED`` whose pixels are classified; see ``Trainable``.

    Attributes
    ----------
    description
        The network.
    channels
        Of the image: 3 for colours, 1 for grey.
    kinds
        Whether its classes are kinds of objects; else all but the first are parts of
        the foreground.
    summed
        Whether its loss is a sum over the pixels.
    """

    description: Description
    channels: int = 3
    kinds: bool = False
    summed: bool = False

    @property
    def shape(self) -> str:
        return "width or form"

    def build(self) -> nn.Module:
        return self.description.build()

    def begin(self, net: nn.Module) -> None:
        """All of it is trained at once."""

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        return [{"params": [p for p in net.parameters() if p.requires_grad]}]

    def mode(self, net: nn.Module) -> None:
        net.train()

    def told(
        self,
        _net: nn.Module,
        _clicks: Sequence[Points],
        _prior: Tensor,
        _others: Tensor,
    ) -> dict[str, Any]:
        return {}

    def asked(self, net: nn.Module, windows: Windows, _told: Mapping[str, Any]) -> Any:
        return net(self.shown(windows.image))

    def shown(self, image: Tensor) -> Tensor:
        """Colours as they are, or as grey as at run time: ``(B, channels, H, W)``."""
        return image if self.channels == 3 else grey(image)

    def classes(self, answer: Any) -> Tensor:
        """The class of each pixel ``(B, H, W)``; 1 for any part of the foreground."""
        return answer.argmax(1) if self.kinds else (foreground(answer)[:, 0] > 0).long()

    def loss(
        self, answer: Any, windows: Windows, _clicks: Sequence[Points], _look: str
    ) -> Tensor:
        """Cross-entropy; ``truth`` holds classes, ``counted`` how much each counts."""
        classes, weight = windows.truth[:, 0].long(), windows.counted[:, 0]
        each = weight * F.cross_entropy(answer.float(), classes, reduction="none")
        return each.sum() / (1 if self.summed else (weight > 0).sum().clamp(min=1))

    def hypotheses(self, answer: Any) -> tuple[Tensor, Tensor]:
        """All that is not background, as one mask."""
        logits = foreground(answer)
        return logits, logits.new_zeros(logits.shape[:2])

    def segmenter(self, net: nn.Module) -> Segmenter:
        return make_interactive(deepcopy(net).cpu(), output=Softmax())

    def trained(self, weights: Path) -> Mapping[str, Tensor]:
        return read_network(weights, self.description.name).state_dict()

    def metadata(self) -> dict[str, str]:
        return self.description.metadata()


class DenseTrainer(Trainer):
    """See ``Trainer``; a sample is a ``Field`` and is looked at once."""

    losses = ("loss",)

    def learn_part(
        self, samples: Sequence[Field], at: int, *, is_last: bool
    ) -> tuple[float, ...]:
        number = self.crew.rank * self.recipe.accumulate + at
        rng = np.random.default_rng((self.recipe.seed, 3, self.step, number))
        torch.manual_seed(int(rng.integers(2**62)))  # for dropout
        windows = side_by_side(samples, self.device)
        none: list[Points] = [[] for _ in samples]
        with nullcontext() if is_last else self.apart():
            _, loss = self.passed(windows, none, windows.others, WIDE)
        return (loss,)


def side_by_side(fields: Sequence[Field], device: torch.device) -> Windows:
    """A batch; smaller images are filled up by pixels that do not count."""
    image = together([one.image.transpose(2, 0, 1) for one in fields])
    classes = together([one.classes[None].astype(np.float32) for one in fields])
    counted = together([one.counted[None] for one in fields])
    classes, counted = classes.to(device), counted.to(device)
    on_device = image.to(device).contiguous(memory_format=torch.channels_last)
    outside = torch.zeros(len(fields), device=device)
    return Windows(on_device, classes, torch.zeros_like(classes), counted, outside)


def together(arrays: Sequence[np.ndarray[Any, np.dtype[np.float32]]]) -> Tensor:
    """``(C, H, W)`` each, to ``(B, C, H, W)`` of the largest height and width."""
    rows, columns = (max(one.shape[axis] for one in arrays) for axis in (1, 2))
    batch = torch.zeros(len(arrays), arrays[0].shape[0], rows, columns)
    for place, one in zip(batch, arrays, strict=True):
        place[:, : one.shape[1], : one.shape[2]] = torch.from_numpy(
            np.ascontiguousarray(one)
        )
    return batch


def foreground(logits: Tensor) -> Tensor:
    """Logit of all classes but the first, ``(B, 1, H, W)``: 1 - P(background)."""
    return logits[:, 1:].logsumexp(1, keepdim=True) - logits[:, :1]
