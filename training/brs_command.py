"""``python -m training brs``: what making clicks right costs, and what it is worth."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.benchmark_commands import add_how_built, order_of
from training.polish_command import VALIDATION


def add_brs(command: argparse.ArgumentParser) -> None:
    command.add_argument("methods", nargs="*", default=["cells"], metavar="METHOD")
    command.add_argument("--data", nargs="+", default=VALIDATION, metavar="SET")
    command.add_argument("--robot", default="ritm")
    command.add_argument("--limit", type=int, default=10, help="objects a set; 0: all")
    command.add_argument("--clicks", type=int, default=20, help="at most, an object")
    add_how_built(command)
    command.add_argument(
        "--policy", action="append", default=[], metavar="NAME=VALUE", help="of windows"
    )
    command.add_argument("--workers", type=int, help="processes; 0: none but this one")
    command.add_argument("-o", "--output", type=Path, default=Path("results/brs.jsonl"))
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_brs)


def run_brs(options: argparse.Namespace) -> None:
    from training.brs_table import refined_table
    from training.evaluation import Workers
    from training.report import put_between_markers

    options.robot = [options.robot]
    options.from_degraded = options.with_others = False
    table = refined_table(order_of(options), options.output, Workers(options.workers))
    if options.into:
        put_between_markers(options.into, table)
    print(table, end="")
