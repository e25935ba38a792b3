"""How many annotated cells bring how many clicks: a learning curve on a data set."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from tqdm import tqdm

from napari_iseg.catalog import weights_file
from napari_iseg.own_data import EARLY, ROBOT, TARGET, Standing
from napari_iseg.teaching.course import Course, News, fared
from napari_iseg.teaching.learning import Tensors, learnt, segmenter_of
from napari_iseg.teaching.lesson import Example, Lesson, LessonPlane
from napari_iseg.weights import read_tensors, sha256_of
from training.finetune_sources import annotated, plane_of
from training.images import data_root
from training.logs import append
from training.sources import CELL_SETS, training_set

KEY = ("data", "weights", "cells", "draw", "steps", "tested")
MEASURED = ("robot", "iou@1", "noc85", "noc90", "failures90", "seconds")
COLUMNS = (*KEY, *MEASURED)
EVERY = 6  # image is tested on, in sets that hold none out by themselves

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOrder:
    """What is measured.

    Attributes
    ----------
    data
        A name of ``CELL_SETS``.
    counts
        Numbers of annotated cells; 0 (before teaching) is always measured.
    draws
        How many times cells are drawn for each number; each draw's are nested.
    tested
        Objects of held-out images that the robot clicks on; 0: all.
    """

    data: str
    counts: tuple[int, ...]
    draws: int
    tested: int
    course: Course

    def points(self) -> Iterator[tuple[int, int]]:
        """Number of cells and draw, in the order in which they are measured."""
        yield 0, 0
        for draw in range(self.draws):
            for count in sorted(set(self.counts) - {0}):
                yield count, draw


def learning_curve(order: CurveOrder, path: Path) -> str:
    """Measure what ``path`` does not hold yet; the whole curve as a Markdown table.

    Raises
    ------
    ValueError
        If there is no such data set or weights, or it has fewer cells than asked for.
    """
    pool, tested = objects_of_set(order)
    if max(order.counts, default=0) > len(pool):
        raise ValueError(
            f"'{order.data}' has {len(pool)} cells to learn from, not "
            f"{max(order.counts)}; ask for fewer"
        )
    begin = weights_file(order.course.method, order.course.weights)
    assert begin is not None  # of a method that can be taught
    tensors, mark = read_tensors(begin), sha256_of(begin)[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for count, draw in order.points():
        row = key_of(order, mark, count, draw, len(tested))
        known = found_in(path, row)
        if known is None:
            known = {**row, **measured(order, tensors, pool, tested, (count, draw))}
            append(path, COLUMNS, [known[name] for name in COLUMNS])
        rows.append(known)
    return table(order.data, rows)


def objects_of_set(order: CurveOrder) -> tuple[list[Example], list[Example]]:
    """Examples to learn from, and of held-out images to test on."""
    if order.data not in CELL_SETS:
        near = get_close_matches(order.data, CELL_SETS, 1)
        known = f"there are {', '.join(CELL_SETS)}"
        hint = f"did you mean '{near[0]}'?" if near else known
        raise ValueError(f"no set of cells is called '{order.data}'; {hint}")
    folder = data_root() / "cells" / order.data / "train"
    every = CELL_SETS[order.data][1] or EVERY
    sides = [training_set(folder, 1, every, kept=kept) for kept in (False, True)]
    own, held = ([plane_of(image) for image in side.images] for side in sides)
    return examples_of(own), drawn(examples_of(held), order.tested)


def examples_of(planes: Sequence[LessonPlane]) -> list[Example]:
    return [Example(plane, one) for plane in planes for one in plane.objects]


def drawn(examples: list[Example], number: int) -> list[Example]:
    """So many of them by lot, always the same ones; 0: all."""
    if not number or number >= len(examples):
        return examples
    chosen = np.random.default_rng(0).permutation(len(examples))[:number]
    return [examples[at] for at in sorted(chosen)]


def key_of(
    order: CurveOrder, mark: str, count: int, draw: int, tested: int
) -> dict[str, str]:
    steps = order.course.pace.steps
    values = (order.data, mark, count, draw, steps, tested)
    return dict(zip(KEY, map(str, values), strict=True))


def found_in(path: Path, row: Row) -> Row | None:
    """The row of a result file with the same key."""
    if not path.exists():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        found = [one for one in csv.DictReader(file) if same(one, row)]
    return found[-1] if found else None


def same(one: Row, row: Row) -> bool:
    return all(one.get(name) == row[name] for name in KEY)


def measured(
    order: CurveOrder,
    tensors: Tensors,
    pool: list[Example],
    tested: list[Example],
    point: tuple[int, int],
) -> dict[str, str]:
    """One point: teach, then let the robot click on what is tested."""
    course, (count, draw) = order.course, point
    began = time.perf_counter()
    with tqdm(desc=f"{count} cells, draw {draw}", unit=" steps") as bar:

        def tell_step(_: int) -> None:
            bar.update()

        def tell_clicks(news: News) -> None:
            bar.set_postfix_str(f"tested on {news.done} of {news.total}")

        if count:
            own = Lesson(tuple(annotated(nested(pool, draw)[:count])), ())
            pace = replace(course.pace, seed=draw)
            tensors = learnt(tensors, own, pace, course.device, tell_step)
        seconds = time.perf_counter() - began
        found = fared(
            segmenter_of(tensors, course.device), tested, "after", tell_clicks
        )
    return {**described(found), "seconds": f"{seconds:.0f}"}


def nested(pool: list[Example], draw: int) -> list[Example]:
    """Image by image, as people annotate; both in an order drawn by lot."""
    rng = np.random.default_rng((draw, 7))
    names = list(dict.fromkeys(one.plane.name for one in pool))
    place = {names[at]: rank for rank, at in enumerate(rng.permutation(len(names)))}
    mixed = [pool[at] for at in rng.permutation(len(pool))]
    return sorted(mixed, key=lambda one: place[one.plane.name])


def described(found: Standing) -> dict[str, str]:
    values = {
        "iou@1": found.first_iou,
        "noc85": found.mean_early,
        "noc90": found.mean_clicks,
        "failures90": found.never / len(found.clicks),
    }
    return {"robot": ROBOT, **{name: f"{value:.4f}" for name, value in values.items()}}


def table(data: str, rows: Sequence[Row]) -> str:
    """Means over the draws, with their standard errors."""
    lines = [
        f"Clicks of robot `{rows[0]['robot']}` on {rows[0]['tested']} objects of "
        f"`{data}` in images that nothing was learnt from; weights begin with "
        f"{rows[0]['weights']}, {rows[0]['steps']} steps.",
        "",
        f"| cells annotated | draws | IoU after 1 click | clicks to {EARLY:.0%} "
        f"| clicks to {TARGET:.0%} | never {TARGET:.0%} | seconds of teaching |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for count in sorted({int(row["cells"]) for row in rows}):
        own = [row for row in rows if int(row["cells"]) == count]
        cells = [
            spread([float(row[name]) for row in own], digits)
            for name, digits in (
                ("iou@1", 3),
                ("noc85", 2),
                ("noc90", 2),
                ("failures90", 3),
                ("seconds", 0),
            )
        ]
        lines.append(f"| {count} | {len(own)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float], digits: int) -> str:
    """Mean, and its standard error where there are several values."""
    mean = f"{np.mean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    return f"{mean} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.{digits}f}"
