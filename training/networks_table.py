"""The papers' networks beside each other and ``cells``: one robot, the same objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_iseg.catalog import ENTRIES, weights_file
from napari_iseg.weights import WeightsCard, read_tensors
from training.ablation_tables import difference, line
from training.brs_table import UNREFINED
from training.datasets import DATASETS
from training.evaluation import Method, Order, Workers, evaluate, read_curves
from training.evaluation.methods import ORACLE, method_of
from training.export import add_results
from training.metrics import ClickCurve, summary
from training.report.tables import Columns, cells

REFERENCE = "cells"  # what the others are compared with, click by click
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # not learnt
FIGURES: Columns = {
    "objects": ("objects", "{:.0f}"),
    "iou@1": ("IoU @1", "{:.3f}"),
    "iou@3": ("@3", "{:.3f}"),
    "iou@5": ("@5", "{:.3f}"),
    "iou@10": ("@10", "{:.3f}"),
    "noc85": ("NoC85", "{:.2f}"),
    "noc90": ("NoC90", "{:.2f}"),
    "failures90": ("never 90 %", "{:.1%}"),
    "obedience": ("clicks obeyed", "{:.2%}"),
    "cpu_first_ms": ("first click, CPU ms", "{:.0f}"),
    "cpu_later_ms": ("later, CPU ms", "{:.0f}"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: whose weights, and how they are asked.

    Attributes
    ----------
    name
        Of the catalogue.
    asked
        What ``evaluate`` calls it; "" if as the catalogue does.
    """

    name: str
    asked: str = ""


ROWS: Mapping[str, Row] = {
    one: Row(one)
    for one in (
        REFERENCE,
        "ifcn",
        "ris-net",
        "latent-diversity",
        "itis",
        "brs",
        "fctsfn",
    )
}
VARIANTS: Mapping[str, Row] = {
    "brs, network alone": Row("brs", UNREFINED["brs"]),
    "latent-diversity, the truth chooses": Row(
        "latent-diversity", f"latent-diversity{ORACLE}"
    ),
    "ris-net, fused by the maximum (eq. 3)": Row("ris-net", "ris-net net.fusion='max'"),
    **{
        f"{one}, then graph cut": Row(one, f"{one}~polished")
        for one in ("ifcn", "ris-net", "fctsfn")
    },
}


def rows_of(names: Sequence[str], *, with_variants: bool) -> dict[str, Row]:
    """The rows of these methods; of all that have weights if none is named.

    Raises
    ------
    ValueError
        If a name is none of ``ROWS`` or its weights are not in the catalogue.
    """
    for name in names:
        if name not in ROWS:
            raise ValueError(f"no row is called '{name}'; there are {list(ROWS)}")
        if name not in ENTRIES:
            raise ValueError(
                f"'{name}' has no weights in the catalogue yet; train them with: "
                f"python -m training train {name}"
            )
    wanted = names or [name for name in ROWS if name in ENTRIES]
    table = {**ROWS, **(VARIANTS if with_variants else {})}
    return {title: row for title, row in table.items() if row.name in wanted}


def method_for(row: Row, plain: Method) -> Method:
    """What is measured; ``plain`` names the device."""
    found = method_of(row.asked or row.name, plain)
    is_named = ":" not in found.name
    return found if is_named else replace(found, weights=weights_file(row.name))


def networks_table(
    rows: Mapping[str, Row],
    order: Order,
    path: Path,
    workers: Workers,
    plain: Method,
    *,
    on_cards: bool = False,
) -> str:
    """Measure what ``path`` does not hold yet; the tables as Markdown.

    Parameters
    ----------
    rows
        From ``rows_of``.
    order
        Data sets, one robot and limits; its methods do not count.
    path
        The result file.
    workers
        Who does the work.
    plain
        A method without a name: device.
    on_cards
        Write the results of the papers' networks into the cards of their weights.

    Raises
    ------
    ValueError
        As ``evaluate``; if a data set is not held out from training; if an object
        could not be measured.
    """
    check_held_out(order.data, [card_of(row) for row in rows.values()])
    methods = {title: method_for(row, plain) for title, row in rows.items()}
    order = replace(order, methods=tuple(methods.values()))
    ending = evaluate(order, path, workers)
    if ending.failures:
        raise ValueError(f"{ending.failures[0]}; the same command tries again")
    asked = order.groups()
    curves = [c for c in read_curves(path) if (c.method, c.data, c.robot) in asked]
    found = {
        title: [c for c in curves if c.method == method.title]
        for title, method in methods.items()
    }
    if on_cards:
        for name in found.keys() & ROWS.keys() - {REFERENCE}:
            add_results(weights_of(name).with_suffix(".json"), found[name])
    return "\n".join([*whole(rows, found, order), *each(found, order)]) + "\n"


def check_held_out(data: Sequence[str], cards: Sequence[WeightsCard]) -> None:
    """Refuse what a network was trained on, or what nobody knows about."""
    seen = {name for card in cards for name in card.trained_on}
    for name in data:
        if name not in DATASETS or name in seen:
            raise ValueError(
                f"'{name}' is not held out from the training of these networks; choose "
                f"one of {[one for one in DATASETS if one not in seen]}"
            )


def card_of(row: Row) -> WeightsCard:
    card = ENTRIES[row.name].weights_card()
    assert card is not None, row.name  # every row is a network
    return card


def weights_of(name: str) -> Path:
    path = weights_file(name)
    assert path is not None, name
    return path


def parameter_count(name: str) -> int:
    """Numbers that were learnt, in the weights file of a method."""
    tensors = read_tensors(weights_of(name))
    return sum(v.size for k, v in tensors.items() if not k.endswith(STATISTICS))


def whole(
    rows: Mapping[str, Row], found: Mapping[str, Sequence[ClickCurve]], order: Order
) -> Iterator[str]:
    """Means over all objects; what a network needs more than ``cells``."""
    more = [f"more clicks than `{REFERENCE}` to 85 %", "to 90 %"]
    titles = [title for title, _ in FIGURES.values()]
    yield (
        f"Robot {order.robots[0]}, at most {order.clicks} clicks, on "
        f"{', '.join(order.data)}, which no network was trained on; means over objects "
        "(± standard error of the mean difference, object by object)."
    )
    yield ""
    yield line("network", "trained", "parameters", *titles, *more)
    yield "| --- | --- |" + " ---: |" * (1 + len(titles) + len(more))
    against = found.get(REFERENCE)
    for title, curves in found.items():
        row = rows[title]
        costs = ["", ""]
        if against and title != REFERENCE:
            costs = [difference(curves, against, target) for target in (0.85, 0.9)]
        yield line(
            title,
            card_of(row).recipe.rsplit(", ", 1)[-1],  # steps
            f"{parameter_count(row.name):,}",
            *cells(summary(curves), FIGURES),
            *costs,
        )


def each(found: Mapping[str, Sequence[ClickCurve]], order: Order) -> Iterator[str]:
    """The same for each data set, folded."""
    titles = [title for title, _ in FIGURES.values()]
    yield from ("", "<details>", "<summary>Each data set</summary>", "")
    yield line("data", "network", *titles)
    yield "| --- | --- |" + " ---: |" * len(titles)
    for data in order.data:
        for title, curves in found.items():
            part = [c for c in curves if c.data == data]
            yield line(data, title, *cells(summary(part), FIGURES))
    yield from ("", "</details>")
