"""``python -m training conversion``: what BRS makes of networks without clicks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.benchmark_commands import add_how_built


@dataclass(frozen=True, slots=True)
class Application:
    """One of the paper's three: which data it is measured on unless that is said.

    Attributes
    ----------
    table
        Which table or figure of the paper it is: the name of the document's markers.
    data
        A name of ``training.datasets``.
    clicks
        On each image.
    measured
        From the options to the table.
    """

    table: str
    data: str
    clicks: int
    measured: Callable[[argparse.Namespace], str]


def add_conversion(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", choices=APPLICATIONS)
    command.add_argument("--data", metavar="SET")
    command.add_argument(
        "--images", default="", metavar="START", help="those whose names begin so"
    )
    command.add_argument("--limit", type=int, default=0, help="images; 0: all")
    command.add_argument("--clicks", type=int, help="on each image")
    command.add_argument("--robot", default="brs-paper")
    add_how_built(command)
    command.add_argument(
        "-o", "--output", type=Path, default=Path("results/conversion.jsonl")
    )
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_conversion)


def run_conversion(options: argparse.Namespace) -> None:
    from training.report import put_between_markers

    application = APPLICATIONS[options.method]
    options.data = options.data or application.data
    options.clicks = options.clicks or application.clicks
    table = application.measured(options)
    if options.into:
        put_between_markers(options.into, table, application.table)
    print(table, end="")


def cells(options: argparse.Namespace) -> str:
    """Table 4."""
    from training.conversion.cells import Cells, table_4
    from training.conversion.networks import cells_segmenter
    from training.field_sets import named_images

    robot = robot_of(options)
    how = Cells(cells_segmenter(options.weights, options.device), robot)
    images = {
        one.name: one for one in named_images(options.data, options.images).images
    }
    rows = journal(options).rows(
        list(images)[: options.limit or None], lambda name: how.measured(images[name])
    )
    return table_4(rows, robot, options.data)


def robot_of(options: argparse.Namespace) -> Any:
    from training.conversion.series import Robot
    from training.recipe import one_of
    from training.robots import ROBOTS

    one_of(ROBOTS, "--robot", options.robot)
    return Robot(options.robot, options.clicks)


def journal(options: argparse.Namespace) -> Any:
    """Rows of this question: the same weights, images and robot."""
    from training.conversion.journal import Journal
    from training.conversion.networks import weights_mark

    question = {
        "method": options.method,
        "weights": weights_mark(options.method, options.weights),
        "data": options.data,
        "robot": options.robot,
        "clicks": options.clicks,
    }
    return Journal(options.output, question)


APPLICATIONS: Mapping[str, Application] = {
    "unet-brs": Application("table-4", "usiigaci/val", 5, cells),
}
