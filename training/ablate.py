"""What one idea is worth: small networks without it, at the same budget.

Every row is a run of its own in a folder of its own: killed at any time, the same
command goes on where it was. Ideas of inference need no training of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from tqdm import tqdm

from training.ablation_rows import (
    ALL,
    HELD_OUT,
    ROWS,
    Row,
    check_left_out,
    with_references,
)
from training.ablation_tables import ablation_table, learning_table, left_out_table
from training.engine import differences, read_checkpoint
from training.evaluation import Method, Order, Workers, evaluate, read_curves
from training.export import export
from training.images import data_root
from training.loop import Settings, train
from training.metrics import ClickCurve
from training.paper_rows import PAPER_ROWS
from training.recipe import Recipe, overridden
from training.recipes import recipe_of
from training.run_folder import RunFolder

ROBOT = "ritm"
PLAINLY = Row(idea="")
PAPERS = "napari_iseg.refine.papers"
PLAIN: Mapping[str, str] = {  # methods that are the network alone
    "brs": f"{PAPERS}:unrefined_brs",
    **{
        name: f"{PAPERS}:{name.replace('-', '_')}"
        for name in ("fctsfn", "ifcn", "itis", "latent-diversity", "ris-net")
    },
}
OWN = ("name", "width", "learning_rate", "stages")  # settings that are a recipe's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What is trained, where it is kept, and on what it is measured.

    ``data`` are names of data sets, or paths; () for all that training holds out.
    ``limit`` is the number of objects of each, 0 for all.
    """

    recipe: Recipe
    folder: Path
    settings: Settings
    method: str = "cells"  # whose recipe it is
    data: tuple[str, ...] = ()
    limit: int = 20

    @property
    def measured_on(self) -> tuple[str, ...]:
        left = set(self.recipe.without)
        return self.data or tuple(d for s, d in HELD_OUT.items() if s not in left)

    @property
    def rows(self) -> Mapping[str, Row]:
        return PAPER_ROWS.get(self.method, ROWS)

    def recipe_of(self, row: Row) -> Recipe:
        if row.recipe:
            return overridden(borrowed(row.recipe, self.recipe), row.settings)
        return overridden(self.recipe, row.settings)

    def folder_of(self, name: str, row: Row) -> Path:
        """Where a row's network is: rows that differ in inference alone share one."""
        return self.folder / (name if row.is_trained else ALL)

    def asked(self, weights: Path, row: Row | None = None) -> Method:
        """The method that a robot asks; networks of papers without later steps."""
        name = (row.recipe if row else "") or self.method
        return Method(
            name=PLAIN.get(name, name),
            weights=weights,
            device=self.settings.device,
            policy=row.policy if row else (),
        )


def ablate(
    ablation: Ablation, rows: Sequence[str] | None, left_out: Sequence[str]
) -> str:
    """Train and measure what is not there yet; the tables as Markdown.

    Parameters
    ----------
    ablation
        The recipe that every row changes in one place, and how runs are carried out.
    rows
        Names of ``ROWS``; None for all of them, or for none if a data set is left out.
        Rows to compare with are added.
    left_out
        Data sets to train without, one at a time, and to measure on. "A+B" leaves out
        two at once: fewer networks, each of which has seen less.

    Raises
    ------
    ValueError
        If there is no such row or data set, or the folder holds runs of another
        recipe.
    """
    table = ablation.rows
    wanted = rows if rows is not None else ([] if left_out else list(table))
    chosen = with_references(wanted, left_out, table)
    for name in [name for group in left_out for name in group.split("+")]:
        check_left_out(name, ablation.recipe)
    curves = {name: measured(ablation, name, row) for name, row in chosen.items()}
    steps = ablation.recipe.steps
    tables = [ablation_table(curves, steps, ROBOT, table)] if wanted else []
    learned = learning(ablation, chosen) if wanted else {}
    if learned:
        tables.append(learning_table(learned))
    pairs = {group: measured_without(ablation, group) for group in left_out}
    if pairs:
        tables.append(left_out_table(pairs))
    return "\n".join(tables)


def borrowed(name: str, recipe: Recipe) -> Recipe:
    """Another recipe with the cell pool, the clicks and the budget of ``recipe``."""
    shared = {f.name: getattr(recipe, f.name) for f in fields(Recipe)}
    return replace(recipe_of(name), **{k: v for k, v in shared.items() if k not in OWN})


def measured(ablation: Ablation, name: str, row: Row) -> list[ClickCurve]:
    """A robot's clicks with the row's network; trained first where it is not yet."""
    tqdm.write(f"{name}: without {row.idea}" if name != ALL else "all ideas")
    folder = ablation.folder_of(name, row)
    weights = trained(ablation, ablation.recipe_of(row), folder)
    method = ablation.asked(weights, row)
    path = ablation.folder / name / "curves.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return clicked(ablation, method, ablation.measured_on, path, row)


def clicked(
    ablation: Ablation,
    method: Method,
    data: tuple[str, ...],
    path: Path,
    row: Row = PLAINLY,
) -> list[ClickCurve]:
    order = Order(
        methods=(method,),
        data=data,
        robots=(row.robot or ROBOT,),
        root=data_root().absolute(),
        limit=ablation.limit,
        with_others=row.with_others,
    )
    workers = Workers(ablation.settings.workers if ablation.settings.workers > 1 else 0)
    ending = evaluate(order, path, workers, replace_others=True)
    if ending.failures:
        raise ValueError(f"{ending.failures[0]}; the same command tries again")
    asked = {group[:3] for group in order.groups()}
    return [c for c in read_curves(path) if (c.method, c.data, c.robot) in asked]


def trained(ablation: Ablation, recipe: Recipe, folder: Path) -> Path:
    """The exported weights of a row; its run goes on where it was.

    Raises
    ------
    ValueError
        If the folder holds a run of another recipe: the budget would not be equal.
    """
    run = RunFolder(folder)
    weights = folder / "weights.safetensors"
    step = 0
    if run.checkpoint.exists():
        state = read_checkpoint(run.checkpoint)
        step = int(state["step"])
        changed = differences(state["recipe"], asdict(recipe))
        if changed:
            raise ValueError(
                f"{folder} was trained with other settings: {', '.join(changed)}; "
                "choose another folder with --out, or set them alike"
            )
    if step < recipe.steps and not weights.exists():
        train(recipe, folder, replace(ablation.settings, resume=True))
    if not weights.exists():
        export(run.checkpoint, weights, None, repr(recipe))
    return weights


def learning(
    ablation: Ablation, rows: Mapping[str, Row]
) -> dict[str, dict[int, float]]:
    """IoU with held-out windows by network and step, of runs that looked at some."""
    folders = dict.fromkeys(ablation.folder_of(name, row) for name, row in rows.items())
    found = {}
    for path in (folder / "validation.csv" for folder in folders):
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                looks = list(csv.DictReader(file))
            found[path.parent.name] = {
                int(look["step"]): float(look["corrected"]) for look in looks
            }
    return found


def measured_without(
    ablation: Ablation, group: str
) -> tuple[list[ClickCurve], list[ClickCurve]]:
    """A robot's clicks on data sets, trained with them and without them."""
    names = group.split("+")
    data = tuple(HELD_OUT[name] for name in names)
    folder = ablation.folder / f"without_{group}"
    recipe = replace(ablation.recipe, without=(*ablation.recipe.without, *names))
    found = []
    for place, one in ((ablation.folder / ALL, ablation.recipe), (folder, recipe)):
        weights = trained(ablation, one, place)
        method = ablation.asked(weights)
        path = folder / f"{'with' if one is ablation.recipe else 'without'}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        found.append(clicked(ablation, method, data, path))
    return found[0], found[1]
