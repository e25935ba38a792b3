"""An evaluation from order to result file; it goes on where a killed one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tqdm import tqdm

from napari_iseg.atomic_files import written_whole
from training.evaluation.curve_files import (
    Group,
    Result,
    Settings,
    appending,
    line_of,
    locked,
    mended,
    put_in_order,
    read_results,
)
from training.evaluation.jobs import Job, Order
from training.evaluation.working import Failure, Outcome, Workers

Telling: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How it went: objects measured before and now, and those that failed."""

    before: int
    measured: int
    failures: tuple[Failure, ...] = ()

    @property
    def sentence(self) -> str:
        parts = [f"{self.measured} objects measured"]
        if self.before:
            parts.append(f"{self.before} were there already")
        if self.failures:
            parts.append(
                f"{len(self.failures)} failed; the same command tries those again"
            )
        return ", ".join(parts)


def evaluate(
    order: Order,
    path: Path,
    workers: Workers,
    *,
    replace_others: bool = False,
    tell: Telling = tqdm.write,
) -> Ending:
    """Measure every combination of ``order`` that ``path`` does not hold yet.

    Parameters
    ----------
    order
        Methods, data sets, robots and how they are used.
    path
        The result file; lines are appended as results arrive, and put in order at the
        end, so that the file does not show how many workers there were.
    workers
        Who does the work.
    replace_others
        Drop results of the same method, data set and robot that were made with other
        settings, instead of refusing to mix them.
    tell
        Called with each remark for the user.

    Raises
    ------
    ValueError
        If something asked for does not exist, or the file holds results of other
        settings, or somebody else is writing to it.
    """
    order.check()
    groups = order.groups()
    with locked(path):
        remark = mended(path)
        if remark:
            tell(remark)
        before = kept_results(path, groups, replace_others=replace_others)
        jobs = jobs_left(order.jobs(), before)
        ending = work(jobs, len(before), groups, path, workers, tell)
        if path.is_file():
            put_in_order(path, read_results(path), list(groups))
    return ending


def kept_results(
    path: Path, groups: Mapping[Group, Settings], *, replace_others: bool
) -> list[Result]:
    """What ``path`` holds of ``groups``, made with the same settings.

    Raises
    ------
    ValueError
        If there are some of other settings and they may not be replaced.
    """
    results = read_results(path) if path.is_file() else []
    foreign = [
        r for r in results if r.group in groups and r.settings != groups[r.group]
    ]
    if foreign and not replace_others:
        raise ValueError(other_settings(path, foreign[0], groups[foreign[0].group]))
    if foreign:
        left = [result for result in results if result not in foreign]
        with written_whole(path) as unfinished:
            lines = [line_of(result) + "\n" for result in left]
            unfinished.write_text("".join(lines), encoding="utf-8")
    return [r for r in results if r.group in groups and r not in foreign]


def other_settings(path: Path, result: Result, wanted: Settings) -> str:
    found = "unknown ones" if result.settings is None else str(result.settings)
    method, data, robot = result.group
    return (
        f"{path} holds results of '{method}' on '{data}' with robot '{robot}' of other "
        f"settings ({found}, now {wanted}); choose another file with -o, or let "
        "--replace drop them"
    )


def jobs_left(jobs: Iterable[Job], before: Sequence[Result]) -> list[Job]:
    finished = {(*result.group, result.curve.sample) for result in before}
    left = [job.without(finished) for job in jobs]
    return [job for job in left if job.samples]


def work(
    jobs: Sequence[Job],
    before: int,
    groups: Mapping[Group, Settings],
    path: Path,
    workers: Workers,
    tell: Telling,
) -> Ending:
    """Do the jobs; every result is in the file before the next one is waited for."""
    failures: list[Failure] = []
    measured = 0
    with appending(path) as append:
        for outcome in with_progress(workers, jobs, before):
            if isinstance(outcome, Failure):
                failures.append(outcome)
                tell(str(outcome))
                continue
            group = (outcome.method, outcome.data, outcome.robot)
            append(Result(outcome, groups[group]))
            measured += 1
    return Ending(before, measured, tuple(failures))


def with_progress(
    workers: Workers, jobs: Sequence[Job], before: int
) -> Iterator[Outcome]:
    """The outcomes, with a bar that tells the time left."""
    left = sum(len(job.samples) for job in jobs)
    if not left:
        return
    with (
        tqdm(total=before + left, initial=before, unit=" objects") as bar,
        closing(workers.outcomes(jobs)) as outcomes,
    ):
        for outcome in outcomes:
            yield outcome
            bar.set_postfix_str(f"{outcome.method} on {outcome.data}", refresh=False)
            bar.update()
