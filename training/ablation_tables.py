"""The tables of an ablation, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from training.ablation_rows import HELD_OUT, ROWS
from training.metrics import MOST, ClickCurve, summary


def ablation_table(
    curves: Mapping[str, Sequence[ClickCurve]], steps: int, robot: str
) -> str:
    """Every row with what leaving its idea out costs; means over all objects."""
    lines = [
        f"Each network: {steps} steps. Robot {robot}; clicks more than with the idea "
        "(± standard error of the mean difference, object by object).",
        "",
        "| row | left out | objects | IoU @1 | NoC85 | NoC90 | failures at 90 % | "
        "more clicks to 85 % | to 90 % |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, found in curves.items():
        row = ROWS[name]
        costs = ["", ""]
        if name != row.against:
            against = curves[row.against]
            costs = [difference(found, against, target) for target in (0.85, 0.9)]
        lines.append(line(name, row.idea, *figures(found), *costs))
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
    before = {unique(c): needed(c, target) for c in reference}
    more = np.array([needed(c, target) - before[unique(c)] for c in curves])
    error = more.std(ddof=1) / np.sqrt(more.size) if more.size > 1 else np.nan
    return f"{more.mean():+.2f} ± {error:.2f}"


def unique(curve: ClickCurve) -> tuple[str, str]:
    return curve.data, curve.sample


def needed(curve: ClickCurve, target: float) -> int:
    """Clicks to ``target``; a failure counts as the most that are made."""
    clicks = curve.clicks_to(target)
    return MOST if clicks is None else min(clicks, MOST)
