"""The commands that measure: evaluate, report, compare, datasets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.evaluation import Ending, Method, Order
    from training.evaluation.curve_files import Result
    from training.report.replays import Replays

FAILED, INTERRUPTED = 1, 130  # exit codes


def add_evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "methods",
        nargs="+",
        metavar="METHOD",
        help="of the catalogue, or module:function; 'NAME (oracle)' for its oracle",
    )
    command.add_argument("--data", nargs="+", required=True, metavar="SET")
    command.add_argument("--robot", nargs="+", default=["ritm"], metavar="ROBOT")
    command.add_argument("--limit", type=int, default=0, help="objects a set; 0: all")
    command.add_argument("--clicks", type=int, default=20, help="at most, an object")
    command.add_argument(
        "--from-degraded", action="store_true", help="correct a spoilt mask"
    )
    command.add_argument(
        "--with-others", action="store_true", help="neighbours are accepted already"
    )
    add_how_built(command)
    command.add_argument(
        "--policy", action="append", default=[], metavar="NAME=VALUE", help="of windows"
    )
    command.add_argument("--workers", type=int, help="processes; 0: none but this one")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster")
    command.add_argument(
        "--replace", action="store_true", help="drop results of other settings"
    )
    command.add_argument(
        "-o", "--output", type=Path, default=Path("results/curves.jsonl")
    )
    command.set_defaults(run=run_evaluate)


def add_how_built(command: argparse.ArgumentParser) -> None:
    command.add_argument("--weights", type=Path)
    command.add_argument("--device", default="auto")


def run_evaluate(options: argparse.Namespace) -> int:
    from training.evaluation import Workers, evaluate

    workers = Workers(options.workers, options.scheduler)
    order = order_of(options)
    try:
        ending = evaluate(
            order, options.output, workers, replace_others=options.replace
        )
    except KeyboardInterrupt:
        print(
            f"training: stopped; {options.output} holds what was measured; "
            "the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    show(options.output, ending)
    return FAILED if ending.failures else 0


def order_of(options: argparse.Namespace) -> Order:
    from training.evaluation import Order
    from training.images import data_root

    return Order(
        methods=tuple(methods_of(options)),
        data=tuple(options.data),
        robots=tuple(options.robot),
        root=data_root().absolute(),
        limit=options.limit,
        clicks=options.clicks,
        from_degraded=options.from_degraded,
        with_others=options.with_others,
    )


def methods_of(options: argparse.Namespace) -> list[Method]:
    from training.evaluation.methods import Method, method_of

    policy = tuple(getattr(options, "policy", ()))
    plain = Method(
        name="", weights=options.weights, device=options.device, policy=policy
    )
    return [method_of(text, plain) for text in options.methods]


def show(results: Path, ending: Ending) -> None:
    """The table of everything in the file, and what went wrong."""
    from training.evaluation import read_curves
    from training.report import markdown, rows_of

    print(markdown(rows_of(read_curves(results))), end="")
    print(f"training: {ending.sentence}", file=sys.stderr)


def add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument("results", type=Path, nargs="+")
    command.add_argument("-o", "--output", type=Path, metavar="FOLDER")
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.add_argument("--json", type=Path, help="write the rows as JSON, too")
    command.add_argument(
        "--papers", action="store_true", help="the papers' numbers beside ours"
    )
    command.add_argument(
        "--label-maps", action="store_true", help="put the objects of images together"
    )
    command.add_argument(
        "--worst", type=int, default=6, help="cases on a sheet; 0: no sheets"
    )
    command.add_argument(
        "--data", nargs="+", type=Path, default=[], help="sets evaluated by path"
    )
    add_how_built(command)
    command.set_defaults(run=run_report)


def run_report(options: argparse.Namespace) -> None:
    from training.report import (
        as_json,
        markdown,
        overview,
        put_between_markers,
        with_limits,
    )

    results = results_of(options.results)
    rows = with_limits([result.curve for result in results])
    if options.output:
        from training.report.folder import write_report

        write_report(
            results,
            options.output,
            replays=replays_of(options),
            with_papers=options.papers,
            with_label_maps=options.label_maps,
            tell=lambda sentence: print(f"training: {sentence}", file=sys.stderr),
        )
    elif options.papers or options.label_maps:
        raise ValueError(
            "--papers and --label-maps belong to a whole report; say where with -o "
            "FOLDER"
        )
    if options.into:
        put_between_markers(options.into, overview(rows))
    if options.json:
        options.json.write_text(as_json(rows), encoding="utf-8")
    print(markdown(rows), end="")


def results_of(paths: list[Path]) -> list[Result]:
    """The results of all files; ValueError if an object was measured in two of them."""
    from training.evaluation.curve_files import read_results

    found: dict[tuple[str, ...], Result] = {}
    for path in paths:
        for result in read_results(path):
            key = (*result.group, result.curve.sample)
            if key in found:
                raise ValueError(
                    f"{path} measures {result.curve.sample} of '{result.curve.data}' "
                    f"with '{result.curve.method}' and robot '{result.curve.robot}' a "
                    "second time; report such files one by one"
                )
            found[key] = result
    return list(found.values())


def replays_of(options: argparse.Namespace) -> Replays | None:
    """How the worst cases are drawn; None if they are not wanted."""
    from training.evaluation.methods import Method
    from training.images import data_root
    from training.report.replays import Replays

    if not options.worst and not options.label_maps:
        return None
    plain = Method(name="", weights=options.weights, device=options.device)
    return Replays(
        data_root().absolute(),
        options.worst,
        plain,
        {path.name: path for path in options.data},
    )


def add_compare(command: argparse.ArgumentParser) -> None:
    command.add_argument("logs", nargs="+", type=Path, metavar="LOG")
    command.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="default: all of the catalogue"
    )
    command.add_argument("--robot", default="ritm")
    command.add_argument("--limit", type=int, default=0, help="objects a log; 0: all")
    command.add_argument("--workers", type=int, help="processes; 0: none but this one")
    add_how_built(command)
    command.set_defaults(run=run_compare)


def run_compare(options: argparse.Namespace) -> int:
    from training.evaluation import Order, Workers
    from training.personal import available, comparison, personal_report

    options.methods = options.methods or available(options.device)
    order = Order(
        methods=tuple(methods_of(options)),
        data=tuple(str(path) for path in options.logs),
        robots=(options.robot,),
        root=Path.cwd(),
        limit=options.limit,
    )
    found, failures = comparison(order, Workers(options.workers))
    for failure in failures:
        print(f"training: {failure}", file=sys.stderr)
    print(personal_report(found, options.logs), end="")
    return FAILED if failures else 0


def add_datasets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--check", nargs=2, metavar=("NAME", "ROOT"), help="what is missing in a folder"
    )
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.set_defaults(run=run_datasets)


def run_datasets(options: argparse.Namespace) -> int:
    from training.datasets import check, entry, listing
    from training.report import put_between_markers

    if options.check:
        name, root = options.check
        lacking = entry(name).missing(Path(root))
        print("\n".join(lacking or check(name, Path(root))))
        return FAILED if lacking else 0
    if options.into:
        put_between_markers(options.into, listing())
    else:
        print(listing(), end="")
    return 0
