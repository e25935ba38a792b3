"""How long a user waits: clicks in the session on images of any size, and accepting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_iseg import Click, Clicks, Session
from napari_iseg.segmenter import Segmenter

CELL_RADIUS = 40  # pixels
OFFSETS = (
    (5, 30),
    (-20, 45),
    (10, -55),
    (35, 10),
)  # of the later clicks, from the middle
Times = dict[str, list[float]]


def drawn_tile(side: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """A 16-bit field of discs on noise, one every 256 pixels, ``(side, side)``."""
    rows, columns = np.indices((256, 256))
    cell = (rows - 128) ** 2 + (columns - 128) ** 2 < CELL_RADIUS**2
    tile = 11000 + 16000 * np.tile(cell, (side // 256, side // 256))
    noise = rng.normal(0, 1500, (side, side))
    return np.clip(tile + noise, 0, 65535).astype(np.uint16)


def images(side: int) -> Iterator[tuple[str, Any]]:
    """The array itself, and a lazy one eight times as wide and high."""
    tile = drawn_tile(side, np.random.default_rng(0))
    yield f"{side} x {side}, 16-bit", tile
    lazy = da.tile(da.from_array(tile, chunks=512), (8, 8))  # type: ignore[no-untyped-call]
    yield f"{8 * side} x {8 * side}, 16-bit, dask", lazy


def clicked(segmenter: Segmenter, image: Any, objects: int) -> Times:
    """Seconds of the first click and of later ones, end to end in the session."""
    times: Times = {"first": [], "later": [], "accept": []}
    session = Session(tuple(image.shape[:2]))
    for clicks in visits(image.shape[0], objects):
        predictor = segmenter.prepare(image, others=session.others)  # type: ignore[arg-type]
        for k, click in enumerate(clicks):
            kind = "later" if k else "first"
            times[kind].append(timed(partial(answered, session, predictor, click)))
        times["accept"].append(timed(session.accept))
    return times


def visits(side: int, objects: int) -> Iterator[Clicks]:
    """The clicks on each of ``objects`` cells of a field of ``side`` pixels."""
    across = side // 256 - 4
    for n in range(objects):
        row, column = 128 + 256 * (3 + n % across), 128 + 256 * (3 + n // across)
        yield Clicks(
            tuple(
                Click(
                    row + down,
                    column + right,
                    bool(np.hypot(down, right) < CELL_RADIUS),
                )
                for down, right in ((0, 0), *OFFSETS)
            )
        )


def in_window(side: int, objects: int) -> tuple[Mapping[str, Times], str]:
    """The same from the click to the painted preview, and how the GUI thread did."""
    from napari_iseg.gui.waiting_times import waiting_times

    image = drawn_tile(side, np.random.default_rng(0))
    times, gaps = waiting_times(image, list(visits(side, objects + 1)))
    worst = np.array(gaps) * 1e3
    line = (
        f"GUI thread: {len(worst)} ticks, 99 % of the gaps below "
        f"{np.percentile(worst, 99):.0f} ms, longest {worst.max():.0f} ms, "
        f"{int((worst > 50).sum())} above 50 ms\n"
    )
    return {f"{side} x {side}, 16-bit, napari": times}, line


def answered(session: Session, predictor: Any, click: Click) -> None:
    """One click from the mouse to the mask."""
    session.click(click)
    request = session.wanted
    assert request is not None
    session.deliver(request, predictor.alternative_patches(request.clicks))
    assert session.mask is not None


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measured(segmenter: Segmenter, side: int, objects: int) -> Mapping[str, Times]:
    """Image -> kind of action -> seconds. The first object of each is not counted."""
    found = {}
    for title, image in images(side):
        clicked(segmenter, image, 1)
        found[title] = clicked(segmenter, image, objects)
    return found


def as_table(times: Mapping[str, Times]) -> str:
    """Median and 95th percentile in milliseconds, as Markdown."""
    lines = [
        "| image | action | median, ms | p95, ms | times |",
        "|---|---|---:|---:|---:|",
    ]
    for title, kinds in times.items():
        for kind, seconds in kinds.items():
            low, high = np.percentile(seconds, (50, 95)) * 1e3
            lines.append(
                f"| {title} | {kind} | {low:.1f} | {high:.1f} | {len(seconds)} |"
            )
    return "\n".join(lines) + "\n"
