"""``python -m training finetune``: weights for a user's own cells."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_iseg.teaching.course import Course, News, Outcome
    from napari_iseg.teaching.lesson import LessonPlane

NOT_KEPT, INTERRUPTED = 1, 130  # exit codes
COUNTS = (5, 10, 20, 40, 80)


def add_finetune(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", help="whose network: cells, or cells+NAME")
    command.add_argument("--images", type=Path, metavar="DIR")
    command.add_argument(
        "--labels", type=Path, metavar="DIR", help="label images of the same names"
    )
    command.add_argument(
        "--logs",
        type=Path,
        nargs="+",
        default=[],
        help="click logs, or folders of them",
    )
    command.add_argument("--weights", type=Path, help="to begin from")
    command.add_argument("--name", help="of the new weights: used as METHOD+NAME")
    command.add_argument("-o", "--output", type=Path, help="a file instead of a name")
    command.add_argument("--steps", type=int, help="of learning")
    command.add_argument("--device", default="cpu")
    command.add_argument("--threads", type=int, help="of the network")
    command.add_argument(
        "--curve", metavar="SET", help="measure a learning curve on a set of cells"
    )
    command.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N")
    command.add_argument("--draws", type=int, default=3, help="of the curve's cells")
    command.add_argument("--limit", type=int, default=60, help="tested objects; 0: all")
    command.add_argument("--results", type=Path, help="the curve's CSV file")
    command.add_argument(
        "--into", type=Path, help="a document with table markers, for the curve"
    )
    command.set_defaults(run=run_finetune)


def run_finetune(options: argparse.Namespace) -> int:
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    course = course_of(options)
    try:
        if options.curve:
            table = curve(options, course)
            if options.into:
                from training.report import put_between_markers

                put_between_markers(options.into, table)
            print(table, end="")
            return 0
        outcome = finetuned(course, planes_of(options))
    except KeyboardInterrupt:
        kept = "what was measured is kept" if options.curve else "nothing was written"
        print(f"training: stopped; {kept}", file=sys.stderr)
        return INTERRUPTED
    print(outcome.sentence())
    if outcome.path is not None:
        print(outcome.path)
    return 0 if outcome.path else NOT_KEPT


def course_of(options: argparse.Namespace) -> Course:
    """ValueError if the options cannot be used: before anything takes time."""
    from napari_iseg.taught import free_name
    from napari_iseg.teaching.course import Course
    from napari_iseg.teaching.learning import Pace
    from napari_iseg.teaching.methods import check_teachable

    base = check_teachable(options.method)
    if options.name is not None and options.output is not None:
        raise ValueError("give --name or --output, not both")
    course = Course(
        method=options.method,
        name=options.name or free_name(base),
        weights=options.weights,
        output=options.output,
        device=options.device,
        pace=Pace() if options.steps is None else Pace(steps=options.steps),
    )
    course.begin()
    return course


def planes_of(options: argparse.Namespace) -> list[LessonPlane]:
    """Of a folder, of click logs, or of both."""
    from training.finetune_sources import planes_in, planes_of_logs

    if (options.images is None) != (options.labels is None):
        raise ValueError("--images and --labels belong together; give both")
    if options.images is None and not options.logs:
        raise ValueError(
            "there is nothing to learn from; give --images DIR --labels DIR, or --logs"
        )
    found = planes_of_logs(options.logs)
    if options.images is not None:
        found += planes_in(options.images, options.labels)
    return found


def finetuned(course: Course, planes: list[LessonPlane]) -> Outcome:
    """Teach, with a progress bar for each stage."""
    from tqdm import tqdm

    from napari_iseg.teaching.course import taught
    from napari_iseg.teaching.lesson import lesson_of

    bars: dict[str, tqdm[None]] = {}

    def tell(news: News) -> None:
        if news.stage not in bars:
            bars[news.stage] = tqdm(desc=news.stage, total=news.total)
        bar = bars[news.stage]
        bar.update(news.done - bar.n)

    try:
        return taught(course, lesson_of(planes), tell)
    finally:
        for bar in bars.values():
            bar.close()


def curve(options: argparse.Namespace, course: Course) -> str:
    from training.finetune_curve import CurveOrder, learning_curve

    order = CurveOrder(
        data=options.curve,
        counts=tuple(options.counts),
        draws=options.draws,
        tested=options.limit,
        course=course,
    )
    path = options.results or Path("results") / f"learning_curve_{options.curve}.csv"
    return learning_curve(order, path)
