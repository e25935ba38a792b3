"""The tables of an ablation, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from training.ablation_rows import ALL, HELD_OUT, ROWS, Row
from training.evaluation.jobs import OTHERS
from training.metrics import MOST, ClickCurve, summary
from training.paper_rows import PAPER_ROWS

# Of a paper's rows: small networks seldom get to 85 % so early; their IoU tells more.
IOU, MORE_IOU, PAPER = "IoU @5", "more IoU @5", "in the paper"
EARLY = 5  # clicks
INDICES = ("DI @1", "DI @5", "DI @10")  # decidability after so many clicks


def ablation_table(
    curves: Mapping[str, Sequence[ClickCurve]],
    steps: int,
    robot: str,
    rows: Mapping[str, Row] = ROWS,
) -> str:
    """Every row with what leaving its idea out costs; means over all objects.

    Beside them the IoU after five clicks and what a paper found, where ``rows`` say it,
    and the decidability index of FCTSFN's.
    """
    beside = [
        *([IOU, MORE_IOU, PAPER] if any(row.paper for row in rows.values()) else []),
        *(INDICES if rows is PAPER_ROWS["fctsfn"] else []),
    ]
    lines = [
        f"Each network: {steps} steps. Robot {robot}; clicks more than with the idea "
        "(± standard error of the mean difference, object by object).",
        "",
        "| row | left out | objects | IoU @1 | NoC85 | NoC90 | failures at 90 % | "
        f"more clicks to 85 % | to 90 % |{''.join(f' {one} |' for one in beside)}",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        f"{''.join(' --- |' if one == PAPER else ' ---: |' for one in beside)}",
    ]
    for name, found in curves.items():
        row = rows[name]
        costs, more, idea = ["", ""], "", row.idea
        if name != row.against:
            against = curves[row.against]
            costs = [difference(found, against, target) for target in (0.85, 0.9)]
            more = more_iou(found, against, EARLY)
            idea += f" (against *{row.against}*)" if row.against != ALL else ""
        shown = summary(found)
        known = {IOU: f"{shown[f'iou@{EARLY}']:.3f}", MORE_IOU: more, PAPER: row.paper}
        others = [known[one] if one in known else index(shown, one) for one in beside]
        lines.append(line(name, idea, *figures(found), *costs, *others))
    return "\n".join(lines) + "\n"


def index(shown: Mapping[str, float], title: str) -> str:
    """A decidability index; a dash where nothing could be compared."""
    found = shown.get(f"decidability{title.removeprefix('DI ')}")
    return "-" if found is None else f"{found:.2f}"


def learning_table(looks: Mapping[str, Mapping[int, float]]) -> str:
    """How far from converged the networks are.

    Parameters
    ----------
    looks
        Of each row's network: by step, IoU with held-out windows after a click and its
        correction, 0..1.
    """
    steps = sorted({step for row in looks.values() for step in row})
    lines = [
        "While they learned: mean IoU with held-out windows, after a click and its "
        "correction.",
        "",
        line("row", *(f"step {step}" for step in steps)),
        "| --- |" + " ---: |" * len(steps),
    ]
    for name, row in looks.items():
        found = (f"{row[step]:.3f}" if step in row else "" for step in steps)
        lines.append(line(name, *found))
    return "\n".join(lines) + "\n"


def left_out_table(
    pairs: Mapping[str, tuple[Sequence[ClickCurve], Sequence[ClickCurve]]],
) -> str:
    """How a network does on data sets that it has never seen."""
    lines = [
        "| data set | trained | objects | IoU @1 | NoC85 | NoC90 | "
        "failures at 90 % | more clicks to 85 % | to 90 % |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for group, (all_seen, all_unseen) in pairs.items():
        for data in (HELD_OUT[name] for name in group.split("+")):
            seen, unseen = (
                [c for c in found if c.data == data] for found in (all_seen, all_unseen)
            )
            costs = [difference(unseen, seen, target) for target in (0.85, 0.9)]
            lines += [
                line(data, "with all sets", *figures(seen), "", ""),
                line(data, f"without {group}", *figures(unseen), *costs),
            ]
    return "\n".join(lines) + "\n"


def line(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def figures(curves: Sequence[ClickCurve]) -> Iterator[str]:
    row = summary(curves)
    yield f"{len(curves)}"
    yield f"{row['iou@1']:.3f}"
    yield f"{row['noc85']:.2f}"
    yield f"{row['noc90']:.2f}"
    yield f"{row['failures90']:.1%}"


def difference(
    curves: Sequence[ClickCurve], reference: Sequence[ClickCurve], target: float
) -> str:
    """Mean of clicks more than in the reference, with its standard error."""
    mean, error = paired(curves, reference, lambda curve: needed(curve, target))
    return f"{mean:+.2f} ± {error:.2f}"


def more_iou(
    curves: Sequence[ClickCurve], reference: Sequence[ClickCurve], clicks: int
) -> str:
    """Mean of IoU more than in the reference, with its standard error."""
    mean, error = paired(curves, reference, lambda curve: curve.after(clicks))
    return f"{mean:+.3f} ± {error:.3f}"


def paired(
    curves: Sequence[ClickCurve],
    reference: Sequence[ClickCurve],
    value: Callable[[ClickCurve], float],
) -> tuple[float, float]:
    """Mean difference, object by object, and its standard error."""
    before = {unique(c): value(c) for c in reference}
    more = np.array([value(c) - before[unique(c)] for c in curves])
    error = more.std(ddof=1) / np.sqrt(more.size) if more.size > 1 else np.nan
    return float(more.mean()), float(error)


def unique(curve: ClickCurve) -> tuple[str, str]:
    """Which object it is, whether its neighbours are given or not."""
    return curve.data.removesuffix(OTHERS), curve.sample


def needed(curve: ClickCurve, target: float) -> int:
    """Clicks to ``target``; a failure counts as the most that are made."""
    clicks = curve.clicks_to(target)
    return MOST if clicks is None else min(clicks, MOST)
