"""``python -m training networks``: the papers' networks beside each other."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.polish_command import VALIDATION


def add_networks(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "methods", nargs="*", metavar="NAME", help="default: cells and all with weights"
    )
    command.add_argument(
        "--variants",
        action="store_true",
        help="also: BRS' network alone, RIS-Net as written, graph cuts, oracles",
    )
    command.add_argument(
        "--cards", action="store_true", help="write results into the weights' cards"
    )
    command.add_argument("--data", nargs="+", default=VALIDATION, metavar="SET")
    command.add_argument("--robot", default="ritm")
    command.add_argument("--limit", type=int, default=10, help="objects a set; 0: all")
    command.add_argument("--clicks", type=int, default=20, help="at most, an object")
    command.add_argument("--device", default="cpu")
    command.add_argument("--workers", type=int, help="processes; 0: none but this one")
    command.add_argument(
        "-o", "--output", type=Path, default=Path("results/networks.jsonl")
    )
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_networks)


def run_networks(options: argparse.Namespace) -> None:
    from training.evaluation import Method, Order, Workers
    from training.images import data_root
    from training.networks_table import ROWS, networks_table, rows_of
    from training.report import put_between_markers

    rows = rows_of(options.methods, with_variants=options.variants)
    order = Order(
        methods=(),
        data=tuple(options.data),
        robots=(options.robot,),
        root=data_root().absolute(),
        limit=options.limit,
        clicks=options.clicks,
    )
    plain = Method(name="", device=options.device)
    workers = Workers(options.workers)
    table = networks_table(
        rows, order, options.output, workers, plain, on_cards=options.cards
    )
    missing = {row.name for row in ROWS.values()} - {row.name for row in rows.values()}
    if missing and not options.methods:
        names = ", ".join(sorted(missing))
        print(f"training: without weights yet: {names}", file=sys.stderr)
    if options.into:
        put_between_markers(options.into, table)
    print(table, end="")
