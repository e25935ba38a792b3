"""From a checkpoint to weights that a package can ship, with their card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from napari_iseg.atomic_files import written_whole
from napari_iseg.weights import (
    Results,
    WeightsCard,
    read_card,
    sha256_of,
    write_card,
)
from training.datasets import entry
from training.engine import read_checkpoint
from training.evaluation import read_curves
from training.metrics import ClickCurve, summary
from training.report import grouped
from training.revision import revision
from training.sources import CELL_SETS

LICENCE = "BSD-3-Clause"  # of the weights; the training sets' licences allow it
PHOTOGRAPHS = "Trained on photographs as its paper describes; not for cells."
NAMELESS = "training.recipes.cells.RECIPE"  # before recipes had names
LIMITS = (
    "No licence-clear training set of DIC, label-free brightfield of adherent cells, "
    "quantitative phase, H&E at scale, blood smears, organoids or whole-cell membrane "
    "stains of animal cells was at hand: the shapes of the sets above and drawn ones "
    "were rendered in such modalities instead (training/appearance.py). Expect more "
    "clicks there, and on cells only a few pixels wide."
)


def export(
    checkpoint: Path,
    output: Path,
    results: Path | None,
    recipe: str | None = None,
    left_out: Path | None = None,
) -> WeightsCard:
    """Write the averaged weights and a card beside them.

    What the network is comes from the checkpoint, and so does its recipe's name unless
    ``recipe`` says it. ``results`` are curves of these weights, ``left_out`` the folder
    of an ablation with networks that were trained without a data set: what to expect
    on unknown ones.

    Kernels in half precision; vectors stay in single: variances of batch norms may be
    beyond what half precision holds, and they cost next to nothing.

    Raises
    ------
    ValueError
        If there is no checkpoint, or one of the folders holds no results.
    """
    if not checkpoint.is_file():
        raise ValueError(f"there is no checkpoint at {checkpoint}; train first")
    state = read_checkpoint(checkpoint)
    tensors = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).contiguous()
        for name, tensor in state["averaged"].items()
        if not name.endswith("num_batches_tracked")
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(output) as unfinished:
        save_file(tensors, unfinished, state.get("network") or None)
    settings = state.get("recipe", {})
    recipe = recipe or settings.get("name") or NAMELESS
    found = {**(measured(results) if results else {}), **never_seen(left_out)}
    card = card_of(output, settings, found, f"{recipe}, {state['step']} steps")
    write_card(output.with_suffix(".json"), card)
    return card


def card_of(
    weights: Path, settings: Mapping[str, Any], results: Results, recipe: str
) -> WeightsCard:
    """``settings``: of the run."""
    trained_on, licence, limits = source_of(settings)
    return WeightsCard(
        file=weights.name,
        sha256=sha256_of(weights),
        size=weights.stat().st_size,
        licence=licence,
        trained_on=trained_on,
        recipe=recipe,
        revision=revision(),
        results=results,
        limits=limits,
    )


def source_of(settings: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    """What a run was trained on, the weights' licence, and their limits."""
    shares = settings.get("fields", {}).get("shares", ())
    if shares:
        return tuple(name for name, _ in shares), LICENCE, settings["limits"]
    fields = settings.get("fields", {}).get("data")
    photographs = fields or settings.get("photographs", {}).get("data")
    if photographs:
        licence = f"not ours to give; the pictures: {entry(photographs).licence}"
        return (photographs,), licence, PHOTOGRAPHS
    without = settings.get("without", ())
    return tuple(name for name in CELL_SETS if name not in without), LICENCE, LIMITS


def never_seen(ablation: Path | None) -> Results:
    """Results of an ablation's networks on the sets that they were trained without.

    Raises
    ------
    ValueError
        If there are none in the folder.
    """
    if ablation is None:
        return {}
    paths = sorted(ablation.glob("without_*/without.jsonl"))
    if not paths:
        raise ValueError(
            f"{ablation} holds no network that was trained without a data set; make "
            "some with: python -m training ablate cells --leave-out SET"
        )
    rows = (row for path in paths for row in measured(path).items())
    return {f"{data} (another network, trained without it)": row for data, row in rows}


def measured(results: Path) -> dict[str, dict[str, str | float]]:
    """Data set -> robot, number of objects, IoU after one click, NoC, failures."""
    found: dict[str, dict[str, str | float]] = {}
    for (_, data, robot), curves in grouped(read_curves(results)).items():
        if data in found:
            raise ValueError(
                f"{results} holds results of several methods or robots on '{data}'; a "
                "card is of one: give a file with nothing else"
            )
        found[data] = figures(curves, robot)
    return found


def figures(curves: Sequence[ClickCurve], robot: str) -> dict[str, str | float]:
    """What a card says of one data set."""
    kept = ("objects", "iou@1", "noc85", "noc90", "failures90", "obedience")
    row = summary(curves)
    return {"robot": robot, **{name: round(row[name], 4) for name in kept}}


def add_results(card: Path, curves: Sequence[ClickCurve]) -> None:
    """Write what was measured of a method into its card, data set by data set.

    What the card says of other data sets stays.
    """
    old = read_card(card)
    new = {
        data: figures(some, robot) for (_, data, robot), some in grouped(curves).items()
    }
    write_card(card, replace(old, results={**old.results, **new}))
