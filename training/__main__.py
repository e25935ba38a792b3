"""``python -m training``: train, evaluate, report, export, latency."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from napari_iseg.segmenter import Segmenter

Command = Callable[[argparse.Namespace], None]
TRAINED = ("cells",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 and a sentence for the caller's mistakes."""
    options = parser().parse_args(arguments)
    command: Command = options.run
    try:
        command(options)
    except (ValueError, FileNotFoundError) as problem:
        print(f"training: {problem}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("python -m training", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands.add_parser("train", help="train a network"))
    add_evaluate(commands.add_parser("evaluate", help="let robots click, measure"))
    add_report(commands.add_parser("report", help="tables from result files"))
    add_export(commands.add_parser("export", help="checkpoint to weights and card"))
    add_latency(commands.add_parser("latency", help="how long a user waits"))
    return top


def add_train(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", choices=TRAINED)
    command.add_argument("--out", type=Path, default=Path("runs/cells"))
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--device", default="cpu")
    command.add_argument("--workers", type=int, default=1)
    command.add_argument("--threads", type=int, default=None, help="of the network")
    command.add_argument("--resume", action="store_true")
    command.add_argument("--start", type=Path, help="exported weights to begin from")
    command.add_argument("--minutes", type=float, default=3, help="between checkpoints")
    command.set_defaults(run=run_train)


def run_train(options: argparse.Namespace) -> None:
    import torch

    from training.loop import train
    from training.recipe import Recipe, overridden

    if options.threads:
        torch.set_num_threads(options.threads)
    train(
        overridden(Recipe(), options.set),
        options.out,
        device=options.device,
        resume=options.resume,
        workers=options.workers,
        minutes=options.minutes,
        start=options.start,
    )


def add_evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("methods", nargs="+", metavar="METHOD")
    command.add_argument("--data", nargs="+", required=True, metavar="SET")
    command.add_argument("--robot", default="ritm")
    command.add_argument("--limit", type=int, default=0, help="objects a set; 0: all")
    command.add_argument("--weights", type=Path)
    command.add_argument("--device", default="auto")
    command.add_argument(
        "--policy", action="append", default=[], metavar="NAME=VALUE", help="of windows"
    )
    command.add_argument(
        "-o", "--output", type=Path, default=Path("results/curves.jsonl")
    )
    command.set_defaults(run=run_evaluate)


def run_evaluate(options: argparse.Namespace) -> None:
    from napari_iseg import load_segmenter
    from training.benchmark_sets import sampled_objects
    from training.evaluate import click_curve, warm_up, write_curves
    from training.images import data_root
    from training.robots import ROBOTS

    if options.robot not in ROBOTS:
        raise ValueError(
            f"no robot is called '{options.robot}'; there are {list(ROBOTS)}"
        )
    for method in options.methods:
        segmenter = load_segmenter(
            method, device=options.device, weights=options.weights
        )
        segmenter, title = with_policy(segmenter, method, options.policy)
        for data in options.data:
            objects = sampled_objects(data, data_root(), options.limit)
            warm_up(segmenter.prepare(objects[0].image))
            names = (title, data, options.robot)
            for found in tqdm(objects, desc=" ".join(names)):
                curve = click_curve(segmenter, found, ROBOTS[options.robot], names)
                write_curves([curve], options.output)
    show(options.output)


def with_policy(
    segmenter: Segmenter, method: str, assignments: Sequence[str]
) -> tuple[Segmenter, str]:
    """The segmenter with another window policy, and a name that says so."""
    from napari_iseg.refine.windowed import Windowed
    from training.recipe import changed

    if not assignments:
        return segmenter, method
    if not isinstance(segmenter, Windowed):
        message = f"'{method}' does not work by windows: it has no --policy"
        raise ValueError(message)  # noqa: TRY004 - the caller's mistake, answered as one
    policy = segmenter.policy
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        policy = changed(policy, name, text)
    return replace(segmenter, policy=policy), " ".join([method, *assignments])


def show(results: Path) -> None:
    from training.evaluate import read_curves
    from training.report import markdown, rows_of

    print(markdown(rows_of(read_curves(results))), end="")


def add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", type=Path)
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.add_argument("--json", type=Path, help="write the rows as JSON, too")
    command.set_defaults(run=run_report)


def run_report(options: argparse.Namespace) -> None:
    from training.evaluate import read_curves
    from training.report import as_json, markdown, put_between_markers, rows_of

    rows = rows_of(read_curves(options.results))
    if options.into:
        put_between_markers(options.into, markdown(rows))
    if options.json:
        options.json.write_text(as_json(rows), encoding="utf-8")
    print(markdown(rows), end="")


def add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", type=Path)
    command.add_argument("-o", "--output", type=Path, required=True)
    command.add_argument("--results", type=Path, help="curves for the card")
    command.add_argument("--recipe", default="training.recipe.Recipe()")
    command.set_defaults(run=run_export)


def run_export(options: argparse.Namespace) -> None:
    from training.export import export

    card = export(options.checkpoint, options.output, options.results, options.recipe)
    print(f"{options.output}: {card.size} bytes, sha256 {card.sha256}")


def add_latency(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", nargs="?", default="cells")
    command.add_argument("--side", type=int, default=2048, help="of the image, pixels")
    command.add_argument("--objects", type=int, default=12)
    command.add_argument("--device", default="cpu")
    command.add_argument("--window", action="store_true", help="in a napari window")
    command.set_defaults(run=run_latency)


def run_latency(options: argparse.Namespace) -> None:
    from napari_iseg import load_segmenter
    from training.latency import as_table, in_window, measured

    if options.window:
        found, line = in_window(options.side, options.objects)
        print(as_table(found) + line, end="")
        return
    segmenter = load_segmenter(options.method, device=options.device)
    times = measured(segmenter, options.side, options.objects)
    print(as_table(times), end="")


if __name__ == "__main__":
    sys.exit(main())
