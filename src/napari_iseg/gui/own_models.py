"""Model files that the user loads, as methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_iseg.polished import MARK
from napari_iseg.segmenter import Segmenter
from napari_iseg.taught import JOINT

# What the network answers, in the words of ``napari_iseg.nets.own.outputs``.
ANSWERS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "Binary: one map of logits": ("Binary", {}),
        "Binary, probabilities: it ends in a sigmoid": (
            "Binary",
            {"probabilities": True},
        ),
        "Softmax: maps of classes; 0 is background": ("Softmax", {}),
        "Softmax, probabilities: it ends in a softmax": (
            "Softmax",
            {"probabilities": True},
        ),
        "MultiLabel: the first of several maps": ("MultiLabel", {"foreground": 0}),
        "MultiLabel, probabilities: each ends in a sigmoid": (
            "MultiLabel",
            {"foreground": 0, "probabilities": True},
        ),
    }
)


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A TorchScript or ``torch.export`` file; ``answer`` is a key of ``ANSWERS``."""

    path: Path
    answer: str

    @property
    def name(self) -> str:
        """What its method is called; without the signs that mean more in a name."""
        return self.path.name.replace(JOINT, "-").replace(MARK, "-")

    def load(self, device: str) -> Segmenter:
        """The network as a method that obeys clicks.

        Raises
        ------
        ValueError
            If the file cannot be read, the network cannot be converted or its answer
            is another one.
        """
        from napari_iseg.nets.own import outputs
        from napari_iseg.refine.own_model import load_own_model

        kind, how = ANSWERS[self.answer]
        output = getattr(outputs, kind)(**how)
        return load_own_model(self.path, output=output, device=device)
