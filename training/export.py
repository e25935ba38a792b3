"""From a checkpoint to weights that a package can ship, with their card."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from napari_iseg.weights import WeightsCard, sha256_of, write_card
from training.evaluation import read_curves
from training.metrics import summary
from training.report import grouped
from training.revision import revision
from training.sources import CELL_SETS

LICENCE = "BSD-3-Clause"  # of the weights; the training sets' licences allow it
LIMITS = (
    "No licence-clear training set of DIC, label-free brightfield of adherent cells, "
    "quantitative phase, H&E at scale, blood smears, organoids or whole-cell membrane "
    "stains of animal cells was at hand: the shapes of the sets above and drawn ones "
    "were rendered in such modalities instead (training/appearance.py). Expect more "
    "clicks there, and on cells only a few pixels wide."
)


def export(
    checkpoint: Path, output: Path, results: Path | None, recipe: str
) -> WeightsCard:
    """Write the averaged weights and a card beside them.

    Kernels in half precision; vectors stay in single: variances of batch norms may be
    beyond what half precision holds, and they cost next to nothing.

    Raises
    ------
    ValueError
        If there is no checkpoint.
    """
    if not checkpoint.is_file():
        raise ValueError(f"there is no checkpoint at {checkpoint}; train first")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    tensors = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).contiguous()
        for name, tensor in state["averaged"].items()
        if not name.endswith("num_batches_tracked")
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, output)
    card = card_of(output, results, f"{recipe}, {state['step']} steps")
    write_card(output.with_suffix(".json"), card)
    return card


def card_of(weights: Path, results: Path | None, recipe: str) -> WeightsCard:
    return WeightsCard(
        file=weights.name,
        sha256=sha256_of(weights),
        size=weights.stat().st_size,
        licence=LICENCE,
        trained_on=tuple(CELL_SETS),
        recipe=recipe,
        revision=revision(),
        results=measured(results) if results else {},
        limits=LIMITS,
    )


def measured(results: Path) -> dict[str, dict[str, str | float]]:
    """Data set -> robot, number of objects, IoU after one click, NoC, failures."""
    kept = ("objects", "iou@1", "noc85", "noc90", "failures90", "obedience")
    found: dict[str, dict[str, str | float]] = {}
    for (_, data, robot), curves in grouped(read_curves(results)).items():
        if data in found:
            raise ValueError(
                f"{results} holds results of several methods or robots on '{data}'; a "
                "card is of one: give a file with nothing else"
            )
        row = summary(curves)
        found[data] = {"robot": robot, **{k: round(row[k], 4) for k in kept}}
    return found
