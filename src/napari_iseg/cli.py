"""The command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

import napari_iseg
from napari_iseg.arrays import Box, Grid, Mask, image_grid
from napari_iseg.catalog import (
    AUTOMATIC,
    ENTRIES,
    Entry,
    load_automatic,
    load_segmenter,
)
from napari_iseg.click_log import ClickLog, pixel_checksum, read_log, replay, write_log
from napari_iseg.clicks import Clicks
from napari_iseg.found_objects import beside, found_objects
from napari_iseg.image_files import check_labels_path, read_image, write_labels
from napari_iseg.polished import is_polished, polished_if
from napari_iseg.segmented_objects import painted
from napari_iseg.segmenter import Predictor, Progress, last_labels
from napari_iseg.session import Session
from napari_iseg.taught import parts_of, taught_methods, taught_path
from napari_iseg.weights import read_card

BAD_INPUT = 2
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    The exit code: 0; 1 if the installation does not work (``doctor``); 2 for bad
    input, after one sentence on the error stream.
    """
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # we say what is wrong
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (ValueError, OSError) as problem:
        _say(" ".join(str(problem).split()))
        return BAD_INPUT
    return code


# The commands


def _demo(arguments: argparse.Namespace) -> int:
    if find_spec("napari") is None or not any(map(find_spec, QT_BINDINGS)):
        raise ValueError(
            "the demo opens napari in a Qt window; one of them is not installed: "
            'pip install "napari-iseg[all]"'
        )
    from napari_iseg.gui.demo import run

    run(arguments.output)
    return 0


def _methods(_: argparse.Namespace) -> int:
    head = ("name", "title", "weights", "licence", "what it is")
    rows = [_described(entry) for entry in ENTRIES.values()]
    rows += [_described_taught(name) for name in taught_methods()]
    finders = [_described(entry) for entry in AUTOMATIC.values()]
    widths = [max(len(row[i]) for row in (head, *rows, *finders)) for i in range(4)]
    for row in (head, *rows):
        print(_in_columns(row, widths))
    print("\nwithout a click, by --automatic NAME:")
    for row in finders:
        print(_in_columns(row, widths))
    return 0


def _segment(arguments: argparse.Namespace) -> int:
    if arguments.automatic is not None:
        return _segment_all(arguments)
    clicks = Clicks.at(arguments.positive, arguments.negative)
    if not arguments.positive:
        raise ValueError(
            "nothing to segment: give at least one --positive ROW,COLUMN, or "
            "--automatic to find every object"
        )
    check_labels_path(arguments.output)
    image = read_image(arguments.image, arguments.plane, arguments.channels)
    method = _method(arguments.method, arguments)
    session = Session(image_grid(image), method=method)
    session.begin(1, clicks)
    prior = _mask(arguments.prior, session.grid)
    others = _mask(arguments.others, session.grid)
    segmenter = load_segmenter(
        method, device=arguments.device, weights=arguments.weights
    )

    start = time.perf_counter()
    probability = None if prior is None else prior.astype(np.float32)
    predictor = segmenter.prepare(image, probability, others)
    _answer(session, predictor)
    milliseconds = (time.perf_counter() - start) * 1000

    if session.mask is None:
        _say(getattr(predictor, "remark", None) or "no pixel belongs to the object")
    else:
        session.accept()
    write_labels(arguments.output, session.labels())
    if arguments.log is not None:
        _write_log(arguments, session, image)
    area = sum(one.area for one in session.objects.values())
    print(
        f"{arguments.output}: {area} pixels by {len(clicks)} clicks in "
        f"{milliseconds:.0f} ms"
    )
    return 0


def _segment_all(arguments: argparse.Namespace) -> int:
    for name in ("positive", "negative", "prior", "log", "polish"):
        if getattr(arguments, name):
            raise ValueError(
                f"--automatic finds every object by itself: leave --{name} out"
            )
    check_labels_path(arguments.output)
    image = read_image(arguments.image, arguments.plane, arguments.channels)
    grid = image_grid(image)
    others = _mask(arguments.others, grid)
    segmenter = load_automatic(
        arguments.automatic, device=arguments.device, weights=arguments.weights
    )

    start = time.perf_counter()
    labels = last_labels(_watched(segmenter.parts(image)))
    milliseconds = (time.perf_counter() - start) * 1000

    taken = np.zeros(grid, np.bool_) if others is None else others
    found = beside(found_objects(labels, arguments.automatic), taken)
    numbered = [replace(one, label=at) for at, one in enumerate(found, start=1)]
    drawn = painted(numbered, Box(0, 0, *grid))
    write_labels(arguments.output, drawn)
    print(f"{arguments.output}: {len(numbered)} objects in {milliseconds:.0f} ms")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    log = read_log(arguments.log)
    output = arguments.output or _beside(arguments.log)
    check_labels_path(output)
    image = read_image(
        _image_of(log, arguments),
        arguments.plane or log.plane,
        arguments.channels or log.channels,
    )
    segmenter = load_segmenter(
        _method(arguments.method or log.method, arguments),
        device=arguments.device,
        weights=arguments.weights,
    )
    labels = replay(log, image, segmenter, any_image=arguments.any_image)
    write_labels(output, labels)
    found = np.count_nonzero(np.unique(labels))
    print(f"{output}: {found} of {len(log.objects)} objects")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from napari_iseg.doctor import examine

    return 0 if examine(arguments.method, arguments.device) else 1


# Their parts


def _method(name: str, arguments: argparse.Namespace) -> str:
    return polished_if(name, polish=arguments.polish or is_polished(name))


def _in_columns(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _watched(parts: Iterator[Progress]) -> Iterator[Progress]:
    """The same, with a bar for whoever looks at a terminal."""
    from tqdm import tqdm

    with tqdm(unit="part", disable=None, leave=False) as bar:
        for one in parts:
            bar.total = one.total
            bar.update()
            yield one


def _described_taught(name: str) -> tuple[str, str, str, str, str]:
    base, own = parts_of(name)
    card = read_card(taught_path(name).with_suffix(".json"))
    title = ENTRIES[base].title if base in ENTRIES else base
    size = f"{card.size / 1e6:.1f} MB"
    return name, f"{title} · {own}", size, "own", f"Taught on {card.trained_on[-1]}."


def _described(entry: Entry) -> tuple[str, str, str, str, str]:
    try:
        card = entry.weights_card()
    except ValueError:
        return entry.name, entry.title, "missing", "-", entry.summary
    if card is None:
        return entry.name, entry.title, "none", "-", entry.summary
    size = f"{card.size / 1e6:.1f} MB"
    return entry.name, entry.title, size, card.licence, entry.summary


def _answer(session: Session, predictor: Predictor) -> None:
    request = session.wanted
    if request is not None:
        session.deliver(request, predictor.alternative_patches(request.clicks))


def _write_log(
    arguments: argparse.Namespace, session: Session, image: NDArray[Any]
) -> None:
    log = ClickLog.of(
        session,
        image=_as_seen_from(arguments.log.parent, arguments.image),
        sha256=pixel_checksum(image),
        plane=arguments.plane,
        channels=arguments.channels,
    )
    write_log(arguments.log, log)


def _as_seen_from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(path.resolve())


def _mask(path: Path | None, grid: Grid) -> Mask | None:
    if path is None:
        return None
    mask = read_image(path)
    if mask.shape != grid:
        raise ValueError(
            f"{path} has the shape {mask.shape}; a mask for this image has {grid}"
        )
    return np.asarray(mask) > 0


def _beside(log: Path) -> Path:
    return log.with_name(
        f"{log.name.removesuffix('.json').removesuffix('.iseg')}.labels.tif"
    )


def _image_of(log: ClickLog, arguments: argparse.Namespace) -> Path:
    if arguments.image is not None:
        return Path(arguments.image)
    if log.image is None:
        raise ValueError(
            f"{arguments.log} does not name its image; give it with --image"
        )
    path: Path = arguments.log.parent / log.image
    if not path.is_file():
        raise ValueError(
            f"there is no image at {path}, as the log says; give it with --image"
        )
    return path


def _say(sentence: str) -> None:
    print(f"napari-iseg: {sentence}", file=sys.stderr)


# The arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="napari-iseg",
        description="Click a cell, get its mask.",
        allow_abbrev=False,
    )
    version = f"%(prog)s {napari_iseg.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="click on cells in a real napari window")
    demo.add_argument("--output", type=Path, default=Path("demo"), metavar="FOLDER")
    demo.set_defaults(run=_demo)

    methods = commands.add_parser("methods", help="list the methods there are")
    methods.set_defaults(run=_methods)

    _add_segment(
        commands.add_parser("segment", help="one object by clicks, or all without")
    )
    _add_replay(commands.add_parser("replay", help="segment a click log again"))

    doctor = commands.add_parser("doctor", help="check that this installation works")
    doctor.add_argument("--method", default="cells", metavar="NAME")
    _add_device(doctor)
    doctor.set_defaults(run=_doctor)
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE")
    for sign in ("positive", "negative"):
        parser.add_argument(
            f"--{sign}",
            type=_pixel,
            action="append",
            default=[],
            metavar="ROW,COLUMN",
            help=f"a {sign} click; may be repeated",
        )
    parser.add_argument(
        "--automatic",
        nargs="?",
        const=next(iter(AUTOMATIC)),
        metavar="NAME",
        help=f"find every object, without clicks: {', '.join(AUTOMATIC)}",
    )
    _add_output(parser, "label image to write: .tif, .png or .npy", required=True)
    parser.add_argument("--prior", type=Path, help="a mask to start from")
    parser.add_argument("--others", type=Path, help="a mask of what is not the object")
    parser.add_argument("--log", type=Path, help="write the clicks here (.iseg.json)")
    parser.add_argument("--method", default="cells", metavar="NAME")
    _add_common(parser)
    parser.set_defaults(run=_segment)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=Path, metavar="LOG")
    _add_output(parser, "default: LOG.labels.tif beside the log", required=False)
    parser.add_argument("--image", type=Path, help="instead of the one the log names")
    parser.add_argument(
        "--any-image", action="store_true", help="even if its pixels are others"
    )
    parser.add_argument("--method", metavar="NAME", help="instead of the log's")
    _add_common(parser)
    parser.set_defaults(run=_replay)


def _add_output(parser: argparse.ArgumentParser, text: str, *, required: bool) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=required, metavar="OUT", help=text
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plane",
        type=_numbers,
        default=(),
        metavar="T,Z",
        help="which plane of a stack: one index for each leading axis",
    )
    parser.add_argument(
        "--channels", type=_numbers, metavar="0,1", help="which channels"
    )
    parser.add_argument("--weights", type=Path, help="a .safetensors file of your own")
    parser.add_argument(
        "--polish",
        action="store_true",
        help="a graph cut after each answer; the same as NAME~polished",
    )
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or mps (default: auto)"
    )


def _pixel(text: str) -> tuple[int, int]:
    numbers = _numbers(text)
    if len(numbers) != 2:
        raise argparse.ArgumentTypeError(
            f"expected ROW,COLUMN like 120,88, got {text!r}"
        )
    return numbers[0], numbers[1]


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with commas between like 0,3, got {text!r}"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
