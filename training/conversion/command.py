"""``python -m training conversion``: what BRS makes of networks without clicks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.benchmark_commands import add_how_built

if TYPE_CHECKING:
    from training.conversion.journal import Row


CELL_KINDS, CELL_WINDOWS = "cell-kinds", "cell-windows"  # held-out images of cells


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
    command.add_argument("--figure", type=Path, help="draw the curves of dhsnet-brs")
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


def semantic(options: argparse.Namespace) -> str:
    """Table 3."""
    from training.conversion.networks import (
        class_count,
        semantic_segmenter,
        weights_of,
    )
    from training.conversion.semantic import Semantic, table_3

    if options.data == CELL_KINDS:
        options.weights = weights_of(options.method, options.weights)
    segmenter = semantic_segmenter(
        options.weights, options.device, photographs=options.data != CELL_KINDS
    )
    how, images = Semantic(segmenter, options.clicks), class_images(options)
    count = class_count(options.weights)

    def measured(name: str) -> Row:
        image, classes = images[name]()
        return how.measured(image, classes, count)

    rows = journal(options).rows(list(images)[: options.limit or None], measured)
    return table_3(rows, options.clicks, options.data)


def class_images(options: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """By name, what reads an image with its classes."""
    from training.class_files import CLASS_FILES, held_out_kinds
    from training.images import data_root
    from training.photo_fields import Photos
    from training.recipe import one_of

    if options.data == CELL_KINDS:
        kinds = held_out_kinds(data_root())
        return {one: partial(kinds.__getitem__, one) for one in kinds}
    data = one_of(CLASS_FILES, "--data", options.data).open(data_root())
    names = [one for one in data.images() if one.startswith(options.images)]
    photos = Photos(data, names, objects=False)
    return {one: partial(photos.read, one) for one in names}


def saliency(options: argparse.Namespace) -> str:
    """Figure 11."""
    from training.conversion.networks import saliency_segmenter
    from training.conversion.saliency import Saliency, draw, figure_11
    from training.datasets.scenes import VOID

    robot, images = robot_of(options), salient_images(options)
    segmenter = saliency_segmenter(
        options.weights, options.device, photographs=options.data != CELL_WINDOWS
    )
    how = Saliency(segmenter, robot)

    def measured(name: str) -> Row:
        image, classes = images[name]()
        return how.measured(image, classes == 1, classes == VOID)

    rows = journal(options).rows(list(images)[: options.limit or None], measured)
    if options.figure:
        draw(rows, robot, options.figure)
    return figure_11(rows, robot, options.data)


def salient_images(options: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """By name, what reads an image with what is salient in it, class 1."""
    from training.class_files import held_out_windows
    from training.datasets import open_dataset
    from training.datasets.scenes import SceneDataSet
    from training.images import data_root
    from training.photo_fields import Photos

    if options.data == CELL_WINDOWS:
        windows = held_out_windows(data_root())
        return {one: partial(windows.__getitem__, one) for one in windows}
    data = open_dataset(options.data, data_root())
    assert isinstance(data, SceneDataSet)
    names = [one for one in data.images() if one.startswith(options.images)]
    photos = Photos(data, names)
    return {one: partial(photos.read, one) for one in names}


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
    "fcn-brs": Application("table-3", "voc2012", 5, semantic),
    "dhsnet-brs": Application("figure-11", "ecssd", 5, saliency),
}
