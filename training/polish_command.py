"""``python -m training polish``: what a graph cut after a method may cost."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.benchmark_commands import add_how_built, order_of

# Images of the training sets that training never saw.
VALIDATION = (
    "dsb2018/val",
    "usiigaci/val",
    "sem_axons/val",
    "bacteria_phase/val",
    "chloroplasts/val",
    "ovule/val",
)
BOUNDARIES = (0.25, 1.0, 4.0)
CONTRASTS = (1.0, 4.0, 16.0)


def add_polish(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", nargs="?", default="cells", metavar="METHOD")
    command.add_argument("--data", nargs="+", default=VALIDATION, metavar="SET")
    command.add_argument("--boundary", nargs="+", type=float, default=BOUNDARIES)
    command.add_argument("--contrast", nargs="+", type=float, default=CONTRASTS)
    command.add_argument("--robot", default="ritm")
    command.add_argument("--limit", type=int, default=20, help="objects a set; 0: all")
    command.add_argument("--clicks", type=int, default=20, help="at most, an object")
    add_how_built(command)
    command.add_argument(
        "--policy", action="append", default=[], metavar="NAME=VALUE", help="of windows"
    )
    command.add_argument("--workers", type=int, help="processes; 0: none but this one")
    command.add_argument(
        "-o", "--output", type=Path, default=Path("results/polish.jsonl")
    )
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_polish)


def run_polish(options: argparse.Namespace) -> None:
    from training.evaluation import Workers
    from training.polish_tuning import Tuning, tuned
    from training.report import put_between_markers

    tuning = Tuning(boundaries=options.boundary, contrasts=options.contrast)
    options.methods, options.robot = [options.method], [options.robot]
    options.from_degraded = options.with_others = False
    workers = Workers(options.workers)
    table = tuned(tuning, order_of(options), options.output, workers)
    if options.into:
        put_between_markers(options.into, table)
    print(table, end="")


def add_max_flow(command: argparse.ArgumentParser) -> None:
    command.add_argument("--sides", nargs="+", type=int, default=(64, 256, 512))
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_max_flow)


def run_max_flow(options: argparse.Namespace) -> None:
    from training.max_flow import measured
    from training.report import put_between_markers

    table = measured(options.sides)
    if options.into:
        put_between_markers(options.into, table)
    print(table, end="")
