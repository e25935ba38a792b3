"""What a boundary may cost in the graph cut after a method: tried on held-out images.

Every setting is a method of its own, asked by the same robot; results are kept in a
file like those of any evaluation, so a killed command goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from napari_iseg.polished import polished_if
from training.ablation_tables import difference, line
from training.evaluation import Method, Order, Workers, evaluate, read_curves
from training.evaluation.methods import POLISH
from training.metrics import ClickCurve, summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What is tried: every ``boundaries`` with every ``contrasts``."""

    boundaries: Sequence[float]  # lambda, nats
    contrasts: Sequence[float]  # beta, over 1 / (2 sigma**2)

    def settings(self) -> list[tuple[float, float]]:
        return list(product(self.boundaries, self.contrasts))

    def methods(self, plain: Method) -> list[Method]:
        """``plain`` itself, then each setting of its polish."""
        return [plain, *(polished(plain, *one) for one in self.settings())]


def polished(plain: Method, boundary: float, contrast: float) -> Method:
    """``plain`` with a graph cut after it."""
    assignments = f"{POLISH}boundary={boundary}", f"{POLISH}contrast={contrast}"
    return replace(
        plain,
        name=polished_if(plain.name, polish=True),
        policy=(*plain.policy, *assignments),
    )


def tuned(tuning: Tuning, order: Order, path: Path, workers: Workers) -> str:
    """Measure what ``path`` does not hold yet; the table as Markdown.

    Parameters
    ----------
    tuning
        The settings.
    order
        The method without polish, data sets, limits and one robot.
    path
        The result file.
    workers
        Who does the work.

    Raises
    ------
    ValueError
        As ``evaluate``, and if an object could not be measured.
    """
    (plain,) = order.methods
    methods = tuning.methods(plain)
    order = replace(order, methods=tuple(methods))
    ending = evaluate(order, path, workers)
    if ending.failures:
        raise ValueError(f"{ending.failures[0]}; the same command tries again")
    asked = order.groups()
    curves = [c for c in read_curves(path) if (c.method, c.data, c.robot) in asked]
    by_method = {m: [c for c in curves if c.method == m.title] for m in methods}
    return tuning_table(tuning, by_method, order)


def tuning_table(
    tuning: Tuning, curves: dict[Method, list[ClickCurve]], order: Order
) -> str:
    """A row for each setting; the one that needs fewest clicks to 90 % is bold."""
    plain, *others = curves
    best = min(others, key=lambda m: summary(curves[m])["noc90"])
    titles = {plain: ("without", "")} | {
        method: (f"{boundary:g}", f"{contrast:g}")
        for method, (boundary, contrast) in zip(others, tuning.settings(), strict=True)
    }
    lines = [
        f"`{plain.title}`, robot {order.robots[0]}, on {', '.join(order.data)}; means "
        "over objects, ± standard error of the mean difference.",
        "",
        "| boundary | contrast | objects | IoU @1 | @3 | @5 | boundary IoU @3 | "
        "NoC85 | NoC90 | more clicks to 85 % | to 90 % | later click, CPU ms |",
        "| --- | --- |" + " ---: |" * 10,
    ]
    for method, setting in titles.items():
        title = [f"**{value}**" if method == best else value for value in setting]
        costs = ["", ""]
        if method != plain:
            costs = [
                difference(curves[method], curves[plain], target)
                for target in (0.85, 0.9)
            ]
        lines.append(line(*title, *figures(curves[method], costs)))
    return "\n".join(lines) + "\n"


def figures(curves: Sequence[ClickCurve], costs: Sequence[str]) -> list[str]:
    row = summary(curves)
    ious = [f"{row[f'{name}']:.3f}" for name in ("iou@1", "iou@3", "iou@5", "biou@3")]
    clicks = [f"{row[name]:.2f}" for name in ("noc85", "noc90")]
    return [f"{len(curves)}", *ious, *clicks, *costs, f"{row['cpu_later_ms']:.0f}"]
