"""``python -m training``: everything that is done with networks and data sets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from training.benchmark_commands import (
    add_compare,
    add_datasets,
    add_evaluate,
    add_report,
)
from training.brs_command import add_brs
from training.conversion.command import add_conversion
from training.finetune_command import add_finetune
from training.networks_command import add_networks
from training.polish_command import add_max_flow, add_polish
from training.serving_command import add_serving
from training.training_commands import add_ablate, add_export, add_train

Command = Callable[[argparse.Namespace], int | None]  # an exit code; None: 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 and a sentence for the caller's mistakes."""
    options = parser().parse_args(arguments)
    command: Command = options.run
    try:
        return command(options) or 0
    except (ValueError, FileNotFoundError) as problem:
        print(f"training: {problem}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("python -m training", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands.add_parser("train", help="train a network"))
    add_ablate(commands.add_parser("ablate", help="what one idea is worth"))
    add_finetune(commands.add_parser("finetune", help="teach it your cells"))
    add_evaluate(commands.add_parser("evaluate", help="let robots click, measure"))
    add_report(commands.add_parser("report", help="tables from result files"))
    add_compare(commands.add_parser("compare", help="which method suits my data?"))
    networks = commands.add_parser("networks", help="the papers' networks compared")
    add_networks(networks)
    add_brs(commands.add_parser("brs", help="clicks made right by BRS, and its price"))
    add_conversion(commands.add_parser("conversion", help="BRS for other networks"))
    add_polish(commands.add_parser("polish", help="constants of the graph cut"))
    add_max_flow(commands.add_parser("max-flow", help="libraries that cut graphs"))
    add_datasets(commands.add_parser("datasets", help="what can be measured on"))
    add_export(commands.add_parser("export", help="checkpoint to weights and card"))
    add_latency(commands.add_parser("latency", help="how long a user waits"))
    add_serving(commands.add_parser("serving", help="how long CVAT waits"))
    return top


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
