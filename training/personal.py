"""Which method needs fewest clicks on a user's own accepted masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from napari_iseg import ENTRIES
from napari_iseg.click_log import LoggedObject, read_log
from training.evaluation import Failure, Method, Order, Workers
from training.metrics import MOST, ClickCurve

TARGET = 0.9  # IoU with the user's mask
DRAWS = 2000  # of objects, to see what chance does


@dataclass(frozen=True, slots=True)
class Standing:
    """A method on the user's objects: clicks it needed for each, 21 for never."""

    method: str
    clicks: tuple[int, ...]
    first_iou: float
    milliseconds: float

    @property
    def mean_clicks(self) -> float:
        return float(np.minimum(self.clicks, MOST).mean())

    @property
    def never(self) -> int:
        return sum(clicks > MOST for clicks in self.clicks)


def available(device: str = "auto") -> list[str]:
    """The methods of the catalogue that can be built here, in its order."""
    found = []
    for name in ENTRIES:
        try:
            Method(name=name, device=device).build()
        except ValueError as problem:
            tqdm.write(f"'{name}' is left out: {problem}")
            continue
        found.append(name)
    return found


def comparison(
    order: Order, workers: Workers
) -> tuple[list[ClickCurve], list[Failure]]:
    """Every method on every object of ``order``; ValueError as ``Order.check``."""
    order.check()
    jobs = order.jobs()
    curves: list[ClickCurve] = []
    failures: list[Failure] = []
    with (
        tqdm(total=sum(len(job.samples) for job in jobs), unit=" objects") as bar,
        closing(workers.outcomes(jobs)) as outcomes,
    ):
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                curves.append(outcome)
            bar.update()
    return curves, failures


def standings(curves: Sequence[ClickCurve]) -> list[Standing]:
    """Fewest clicks first; only objects that every method was measured on."""
    groups: dict[str, dict[tuple[str, str], ClickCurve]] = {}
    for curve in curves:
        groups.setdefault(curve.method, {})[curve.data, curve.sample] = curve
    if not groups:
        return []
    shared = sorted(set.intersection(*(set(group) for group in groups.values())))
    found = [
        standing(method, [group[one] for one in shared])
        for method, group in groups.items()
        if shared
    ]
    return sorted(found, key=lambda one: (one.mean_clicks, one.never, one.method))


def standing(method: str, curves: Sequence[ClickCurve]) -> Standing:
    reached = [curve.clicks_to(TARGET) for curve in curves]
    return Standing(
        method,
        tuple(MOST + 1 if clicks is None else clicks for clicks in reached),
        float(np.mean([curve.after(1) for curve in curves])),
        float(np.median([s for curve in curves for s in curve.seconds]) * 1e3),
    )


def verdict(ranked: Sequence[Standing]) -> str:
    """One sentence: which method needs fewest clicks, and whether that is certain."""
    if not ranked:
        return "There is nothing to compare: no object was measured with every method."
    best, *others = ranked
    number = len(best.clicks)
    said = (
        f"On your {number} objects '{best.method}' needs {best.mean_clicks:.1f} clicks "
        f"on average to an IoU of {TARGET:.0%} with your masks"
    )
    if not others:
        return f"{said}."
    second = others[0]
    behind = f"the next best is '{second.method}' with {second.mean_clicks:.1f}"
    if is_certain(best, second):
        return f"{said}, fewest of all; {behind}."
    return f"{said}; {behind}, too close to call with so few objects."


def is_certain(best: Standing, second: Standing) -> bool:
    """Whether the order survives other draws of the same objects, in 95 % of them."""
    apart = np.minimum(second.clicks, MOST) - np.minimum(best.clicks, MOST)
    rng = np.random.default_rng(0)
    means = rng.choice(apart, (DRAWS, len(apart))).mean(axis=1)
    return bool(np.quantile(means, 0.05) > 0)


def personal_report(curves: Sequence[ClickCurve], logs: Sequence[Path]) -> str:
    """A short table and what follows from it."""
    ranked = standings(curves)
    lines = [
        "| method | clicks to 90 % | never | IoU after 1 click | ms a click |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.method} | {one.mean_clicks:.1f} | {one.never} | {one.first_iou:.2f} | "
        f"{one.milliseconds:.0f} |"
        for one in ranked
    ]
    said = [verdict(ranked), *of_the_user([o for log in logs for o in accepted(log)])]
    return "\n".join(lines) + "\n\n" + " ".join(said) + "\n"


def accepted(log: Path) -> list[LoggedObject]:
    return [one for one in read_log(log).objects if one.mask is not None]


def of_the_user(objects: Sequence[LoggedObject]) -> list[str]:
    """What the user did; and whose masks these are, since that flatters a method."""
    clicked = [one for one in objects if len(one.clicks)]
    if not clicked:
        return []
    mean = np.mean([len(one.clicks) for one in clicked])
    ((method, number),) = Counter(one.method for one in clicked).most_common(1)
    return [
        f"You made {mean:.1f} clicks an object.",
        f"{number} of the {len(clicked)} masks were made with '{method}', which "
        "favours it: masks drawn by hand would be a fairer judge.",
    ]
