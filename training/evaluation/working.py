"""Jobs done: in this process, by a cluster of local ones, or by a cluster elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import cv2

from napari_iseg.segmenter import Segmenter
from training.datasets import BenchmarkObject, DataSet, open_dataset
from training.evaluation.clicking import click_curve, warm_up
from training.evaluation.jobs import Job
from training.evaluation.methods import Method
from training.metrics import ClickCurve
from training.robots import ROBOTS


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that could not be measured, and why."""

    method: str
    data: str
    robot: str
    sample: str
    reason: str

    def __str__(self) -> str:
        return (
            f"'{self.method}' failed on {self.sample} of '{self.data}' with robot "
            f"'{self.robot}': {self.reason}"
        )


Outcome: TypeAlias = ClickCurve | Failure


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the jobs.

    ``number`` processes on this machine, None for one on each core, 0 for none: then
    the caller's own process does them. Or those of the dask scheduler at ``address``.
    """

    number: int | None = None
    address: str | None = None

    def outcomes(self, jobs: Sequence[Job]) -> Generator[Outcome]:
        """What became of every object, as it becomes known.

        Raises
        ------
        ValueError
            If there is no scheduler at the address or the number is negative.
        """
        if self.number is not None and self.number < 0:
            raise ValueError(f"--workers must not be negative, got {self.number}")
        alone = self.processes(len(jobs)) == 0 and self.address is None
        return here(jobs) if alone else elsewhere(jobs, self)

    def processes(self, jobs: int) -> int:
        """How many are started: never more than there are jobs.

        By default one for each core; none where that would be a single one, which
        could do no more than the caller's own process.
        """
        from dask.system import CPU_COUNT

        if self.number is None:
            most = min(CPU_COUNT, jobs)
            return most if most > 1 else 0
        return min(self.number, jobs)


def here(jobs: Sequence[Job]) -> Generator[Outcome]:
    """In this process, object by object."""
    loaded = Workshop()
    for job in jobs:
        for sample in job.samples:
            yield loaded.measured(job, sample)


def elsewhere(jobs: Sequence[Job], workers: Workers) -> Generator[Outcome]:
    from distributed import as_completed

    with client_of(workers, len(jobs)) as client:
        futures = {client.submit(done, job, pure=False): job for job in jobs}
        for future in as_completed(list(futures)):
            yield from results_of(future, futures.pop(future))


def results_of(future: Any, job: Job) -> list[Outcome]:
    """A job's results; if its worker died, that is what became of its objects."""
    problem = future.exception()
    results: list[Outcome] = (
        future.result()
        if problem is None
        else [Failure(*job.group, one, described(problem)) for one in job.samples]
    )
    future.release()
    return results


@contextmanager
def client_of(workers: Workers, jobs: int) -> Iterator[Any]:
    """A dask client; the processes of a local cluster end with it."""
    from distributed import Client, LocalCluster

    if workers.address is not None:
        with connected(workers.address) as client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers.processes(jobs),
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(leave_interrupts_alone)
        yield client


def connected(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as problem:
        raise ValueError(f"no dask scheduler answers at {address}: {problem}") from None


def leave_interrupts_alone() -> None:
    """Ctrl-C in a terminal reaches workers, too; only the caller acts on it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


# On a worker


class Workshop:
    """What a process has loaded: methods and data sets; remembered to save time."""

    def __init__(self) -> None:
        self.segmenters: dict[Method, Segmenter] = {}
        self.data_sets: dict[tuple[str, Path], DataSet] = {}

    def measured(self, job: Job, sample: str) -> Outcome:
        """One object measured; what goes wrong is told, and costs no other object."""
        try:
            found = self.data_set(job.data, job.root).read(sample)
            segmenter = self.segmenter(job.method, found)
            with one_thread():
                return click_curve(
                    segmenter, found, ROBOTS[job.robot], job.group, job.how
                )
        except Exception as problem:  # noqa: BLE001 - a method may fail as it likes
            return Failure(*job.group, sample, described(problem))

    def segmenter(self, method: Method, found: BenchmarkObject) -> Segmenter:
        """The method, loaded once; the first answer of all is not timed."""
        if method not in self.segmenters:
            segmenter = method.build()
            warm_up(segmenter.prepare(found.image))
            self.segmenters[method] = segmenter
        return self.segmenters[method]

    def data_set(self, data: str, root: Path) -> DataSet:
        if (data, root) not in self.data_sets:
            self.data_sets[data, root] = open_dataset(data, root)
        return self.data_sets[data, root]


@cache
def workshop() -> Workshop:
    return Workshop()


def done(job: Job) -> list[Outcome]:
    """Measure the objects of a job."""
    return [workshop().measured(job, sample) for sample in job.samples]


def described(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".strip().splitlines()[0]


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch and OpenCV compute in one thread: a worker has one core.

    So an answer is also the same to the last bit, whatever the number of workers. A
    method that needs torch has imported it by now; others do without.
    """
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch else 0
    cv2_threads = cv2.getNumThreads()
    if torch:
        torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(torch_threads)
        cv2.setNumThreads(cv2_threads)
