"""The command that measures what CVAT waits for: serving."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_serving(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", nargs="?", default="cells")
    command.add_argument("--device", default="cpu")
    command.add_argument("--threads", type=int, default=2, help="of each worker")
    command.add_argument(
        "--sides", type=int, nargs="+", default=[512, 2048, 4096], metavar="PIXELS"
    )
    command.add_argument(
        "--side", type=int, default=2048, help="of the images for requests a second"
    )
    command.add_argument("--images", type=int, default=8, help="of each kind and size")
    command.add_argument("--requests", type=int, default=1000, help="for the memory")
    command.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    command.add_argument(
        "--into", type=Path, nargs="+", default=[], help="documents with table markers"
    )
    command.set_defaults(run=run_serving)


def run_serving(options: argparse.Namespace) -> None:
    from training.report import put_between_markers
    from training.serving_benchmark import Plan, as_markdown, measured

    plan = Plan(
        options.method,
        options.device,
        options.threads,
        tuple(options.sides),
        options.images,
        options.requests,
    )
    found = measured(plan, options.side)
    if options.output:
        text = json.dumps(found, indent=1, allow_nan=False)
        options.output.write_text(text + "\n", encoding="utf-8")
    for document in options.into:
        put_between_markers(document, as_markdown(found))
    print(as_markdown(found), end="")
