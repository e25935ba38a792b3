"""Which method needs fewest clicks on a user's own accepted masks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from napari_iseg import ENTRIES
from napari_iseg.click_log import LoggedObject, read_log
from napari_iseg.own_data import of_the_user, standings, verdict
from training.evaluation import Failure, Method, Order, Workers
from training.metrics import ClickCurve


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
