"""A paper's network that answers for windows, by its own eyes: clicks, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from torch import nn

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers.image_model import ImageModel, Seen
from napari_iseg.nets.question import Question, owned
from napari_iseg.nets.told import Told
from napari_iseg.nets.window_model import Hypotheses


class PaperModel:
    """See ``WindowModel``; asked with ``Told`` instead of guides.

    The papers' networks know nothing of other objects: they are not told of them. A
    mask so far is told to those with a channel for it.
    """

    def __init__(self, net: nn.Module, device: str = "cpu") -> None:
        self.images = ImageModel(net, device)
        self.device = self.images.device

    def with_settings(self, **settings: str) -> PaperModel:
        """The same weights asked in another way, by attributes of the network.

        Which there are, and with which values, the network says in ``settings``: none
        of its weights depends on them.

        Raises
        ------
        ValueError
            If there is no such setting or value.
        """
        net = copy(self.images.net)
        known = getattr(net, "settings", {})
        for name, value in settings.items():
            if value not in known.get(name, ()):
                there = {one: list(values) for one, values in known.items()}
                raise ValueError(
                    f"{type(net).__name__} has no setting {name}={value!r} beside its "
                    f"weights; there are {there}"
                )
            setattr(net, name, value)
        return PaperModel(net, str(self.device))

    def look(self, image: NDArray[np.float32]) -> list[Seen]:
        return [self.images.look(np.clip(one, 0, 1)) for one in image]

    def answer(self, seen: Sequence[Seen], told: Sequence[Told]) -> list[Hypotheses]:
        """Every mask of the network as it rates them; a single one by what it fills."""
        return [self._one(*pair) for pair in zip(seen, told, strict=True)]

    def glance(self, seen: Sequence[Seen], told: Sequence[Told]) -> list[Hypotheses]:
        """The mask that the network means, with a score that compares windows."""
        return [meant(answer) for answer in self.answer(seen, told)]

    def question(self, seen: Sequence[Seen], told: Sequence[Told]) -> Question:
        """One window as refinement asks about it."""
        (image,), (one,) = seen, told
        clicks = one.in_window()
        maps, ask = self.images.asking(owned(image), clicks, one.previous)
        return Question(self.images.net, maps, self.step(), ask, rated)

    def step(self) -> float:
        """How far a click moves its own pixel of the maps."""
        encoder, pixel = self.images.net.encoder, (1, 1)
        moved = encoder(Clicks.at([(0, 0)]), pixel) - encoder(Clicks(), pixel)
        return float(np.abs(moved).max())

    def _one(self, seen: Seen, told: Told) -> Hypotheses:
        return rated(self.images.answer(seen, told.in_window(), told.previous))


def rated(answer: Hypotheses) -> Hypotheses:
    """As the network rates its masks; a single one by the IoU that it promises."""
    return meant(answer) if len(answer.scores) == 1 else answer


def meant(answer: Hypotheses) -> Hypotheses:
    """The best rated mask alone, scored by the IoU that its probabilities promise."""
    best = int(answer.scores.argmax())
    score = np.array([promised_iou(answer.logits[best])], np.float32)
    return Hypotheses(answer.logits[best : best + 1], score)


def promised_iou(logits: NDArray[np.float32]) -> float:
    """Intersection over union with a mask drawn from the probabilities, 0..1.

    Expected intersection over expected union; 0 for an empty mask. None of the papers
    foretells how good its mask is, and scales of windows have to be compared.
    """
    probability = expit(logits.astype(np.float64))
    inside = logits > 0
    union = inside.sum() + probability[~inside].sum()
    return float(probability[inside].sum() / union)
