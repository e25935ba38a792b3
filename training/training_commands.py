"""The commands that train: train, ablate, export."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_iseg.nets.papers import CONVERTED
from training.benchmark_commands import INTERRUPTED
from training.recipes import RECIPES


def add_train(command: argparse.ArgumentParser) -> None:
    command.add_argument("method", choices=RECIPES)
    add_preset(command)
    command.add_argument("--out", type=Path, help="folder; default: runs/METHOD")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--device", default="cpu")
    command.add_argument("--workers", type=int, default=1)
    command.add_argument("--threads", type=int, default=None, help="of the network")
    command.add_argument("--resume", action="store_true")
    command.add_argument("--start", type=Path, help="exported weights to begin from")
    command.add_argument("--minutes", type=float, default=3, help="between checkpoints")
    command.add_argument("--tensorboard", action="store_true")
    command.set_defaults(run=run_train)


def add_preset(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--preset", help="cells-small (the papers' networks on cells) or paper"
    )


def run_train(options: argparse.Namespace) -> int:
    import torch

    from training.loop import Settings, train
    from training.recipe import overridden
    from training.recipes import recipe_of, run_folder_of

    if options.threads:
        torch.set_num_threads(options.threads)
    settings = Settings(
        device=options.device,
        resume=options.resume,
        workers=options.workers,
        minutes=options.minutes,
        start=options.start,
        board=options.tensorboard,
    )
    recipe = overridden(recipe_of(options.method, options.preset), options.set)
    folder = Path("runs") / run_folder_of(options.method, options.preset)
    try:
        train(recipe, options.out or folder, settings)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", type=Path)
    command.add_argument("-o", "--output", type=Path, required=True)
    command.add_argument("--results", type=Path, help="curves for the card")
    command.add_argument(
        "--left-out", type=Path, metavar="FOLDER", help="ablation, for the card"
    )
    command.add_argument("--recipe", help="its name, for the card")
    command.add_argument("--onnx", action="store_true", help="the network as ONNX, too")
    command.add_argument(
        "--int8", action="store_true", help="and in 8 bits, with what it costs"
    )
    command.set_defaults(run=run_export)


def run_export(options: argparse.Namespace) -> None:
    from training.export import export

    card = export(
        options.checkpoint,
        options.output,
        options.results,
        options.recipe,
        options.left_out,
    )
    print(f"{options.output}: {card.size} bytes, sha256 {card.sha256}")
    if options.onnx or options.int8:
        from training.onnx_export import export_onnx

        print(export_onnx(options.output, is_int8=options.int8), end="")


def add_ablate(command: argparse.ArgumentParser) -> None:
    clicked = [name for name in RECIPES if name not in CONVERTED]
    command.add_argument("method", choices=clicked)
    command.add_argument(
        "--rows", nargs="+", metavar="ROW", help="what is left out; default: all"
    )
    command.add_argument(
        "--leave-out",
        nargs="*",
        default=[],
        metavar="SET",
        help="train without a data set, test on it; A+B: without both",
    )
    command.add_argument(
        "--out", type=Path, help="default: runs/ablation, of a paper runs/ablation-NAME"
    )
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--data", nargs="+", metavar="SET", help="to evaluate on")
    command.add_argument("--limit", type=int, default=20, help="objects a set; 0: all")
    command.add_argument("--device", default="cpu")
    command.add_argument("--workers", type=int, default=1)
    command.add_argument("--minutes", type=float, default=3, help="between checkpoints")
    command.add_argument("--into", type=Path, help="a document with table markers")
    command.add_argument(
        "--table", default="", metavar="NAME", help="which of the document's tables"
    )
    command.set_defaults(run=run_ablate)


def ablation_folder(method: str) -> str:
    return "ablation" if method == "cells" else f"ablation-{method}"


def run_ablate(options: argparse.Namespace) -> None:
    from training.ablate import Ablation, ablate
    from training.loop import Settings
    from training.recipe import overridden
    from training.recipes import recipe_of

    settings = Settings(
        device=options.device,
        resume=True,
        workers=options.workers,
        minutes=options.minutes,
    )
    ablation = Ablation(
        recipe=overridden(recipe_of(options.method), options.set),
        method=options.method,
        folder=options.out or Path("runs") / ablation_folder(options.method),
        settings=settings,
        data=tuple(options.data or ()),
        limit=options.limit,
    )
    table = ablate(ablation, options.rows, options.leave_out)
    if options.into:
        from training.report import put_between_markers

        put_between_markers(options.into, table, options.table)
    print(table, end="")
