"""A report as a folder: tables, figures, sheets, and a page that holds them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from training.evaluation.curve_files import Group, Result
from training.metrics import ClickCurve
from training.report.figures import Pen, histogram_figure, iou_figure, pens, saved
from training.report.label_maps import TITLES, finished
from training.report.limits import learning_free_limit
from training.report.page import (
    Part,
    Picture,
    Section,
    Table,
    Text,
    is_numeric,
    page,
)
from training.report.papers import beside, citations, ranges
from training.report.replays import Replays
from training.report.sheets import sheet, worst
from training.report.tables import TABLES, Rows, as_json, grouped, lines_of, with_limits

Scene: TypeAlias = tuple[str, str]  # data set, robot
Tell: TypeAlias = Callable[[str], None]

TITLE = "Clicks needed"
LABEL_MAPS = "Measured objects, accepted at 90 % IoU or after the last click"
HOW = (
    "Each row names the robot user that made the clicks; the same method needs up to "
    "four clicks more with one robot than with another. Clicks to a target (NoC) are "
    "counted for each object and averaged; an object that never reaches it counts as "
    "20. IoU after n clicks keeps its last value where the robot found nothing more to "
    "correct. Times are of one thread."
)


def write_report(
    results: Sequence[Result],
    folder: Path,
    *,
    replays: Replays | None = None,
    with_papers: bool = False,
    with_label_maps: bool = False,
    tell: Tell = print,
) -> list[Path]:
    """Write the report; the files it consists of.

    Parameters
    ----------
    results
        From ``read_results``, of one file or several.
    folder
        Made if it is not there.
    replays
        How masks are found again from clicks; None for no sheets and label maps.
    with_papers
        Set the papers' numbers beside ours.
    with_label_maps
        Put the accepted objects of every image together, and compare with the truth.
    tell
        Called with what had to be left out, and why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    curves = [result.curve for result in results]
    rows = with_limits(curves)
    curves += learning_free_limit(curves)
    sections = [Section("Tables", [Text(HOW), *tables(rows)])]
    if with_papers:
        sections.append(Section("Beside the papers", papers(rows)))
    sections.append(Section("Figures", figures(curves, folder)))
    if replays is not None and replays.number:
        sections.append(Section("Worst cases", sheets(results, folder, replays, tell)))
    if replays is not None and with_label_maps:
        found = label_maps(results, replays, tell)
        sections.insert(1, Section("Finished label maps", found))
    sections.append(Section("Where from", [origins(results)]))
    texts = {
        "index.html": page(TITLE, sections),
        "tables.md": markdown_of(sections),
        "summary.json": as_json(rows),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def tables(rows: Rows) -> list[Table]:
    """One table for each data set and kind of measure."""
    found = []
    for data in dict.fromkeys(data for _, data, _ in rows):
        part = {key: row for key, row in rows.items() if key[1] == data}
        for kind, columns in TABLES.items():
            titles, *lines = lines_of(part, columns)
            if len(titles) > 3:
                found.append(Table(f"{data}: {kind}", titles, lines))
    return found


def papers(rows: Rows) -> list[Part]:
    """Ours beside theirs; a sentence where there is nothing to compare."""
    found = [Table(title, lines[0], lines[1:]) for title, lines in beside(rows)]
    titles, *lines = ranges(rows)
    if not found:
        return [Text("No data set and method of these results is in a paper's table.")]
    cited = [Text(f"{short}: {long}.") for short, long in citations().items()]
    if not lines:
        return [*found, *cited]
    inside = Table("Inside the papers' range, robot by robot?", titles, lines)
    return [inside, *found, *cited]


def scenes(
    curves: Sequence[ClickCurve],
) -> dict[Scene, dict[str, list[ClickCurve]]]:
    """Data set and robot -> method -> curves."""
    found: dict[Scene, dict[str, list[ClickCurve]]] = {}
    for (method, data, robot), group in grouped(curves).items():
        found.setdefault((data, robot), {})[method] = group
    return found


def figures(curves: Sequence[ClickCurve], folder: Path) -> list[Picture]:
    drawn = pens(list(dict.fromkeys(curve.method for curve in curves)))
    return [
        one
        for scene, groups in scenes(curves).items()
        for one in figures_of(scene, groups, drawn, folder)
    ]


def figures_of(
    scene: Scene,
    groups: Mapping[str, Sequence[ClickCurve]],
    drawn: Mapping[str, Pen],
    folder: Path,
) -> list[Picture]:
    data, robot = scene
    title = f"{data}, robot {robot}"
    name = slug(title)
    curve = iou_figure(title, groups, drawn)
    counts = histogram_figure(title, groups, drawn)
    saved(curve, folder / "curves" / name)
    saved(counts, folder / "histograms" / name)
    return [
        Picture(folder / "curves" / f"{name}.svg", f"Mean IoU against clicks: {title}"),
        Picture(folder / "histograms" / f"{name}.svg", f"Clicks to 90 %: {title}"),
    ]


def sheets(
    results: Sequence[Result], folder: Path, replays: Replays, tell: Tell
) -> list[Part]:
    """The worst cases of every method, data set and robot."""
    parts: list[Part] = []
    for (method, data, robot), group in by_group(results).items():
        title = f"{method} on {data}, robot {robot}"
        by_sample = {result.curve.sample: result for result in group}
        chosen = worst([r.curve for r in group if r.curve.clicks], replays.number)
        try:
            cases = [replays.case(by_sample[curve.sample]) for curve in chosen]
        except ValueError as problem:
            tell(f"no worst cases of {title}: {problem}")
            parts.append(Text(f"No worst cases of {title}: {problem}"))
            continue
        if cases:
            path = folder / "sheets" / slug(title)
            drawn = sheet(f"Worst cases of {title}", cases)
            (file,) = saved(drawn, path, endings=("png",))
            parts.append(Picture(file, f"{title}: worst cases"))
    return parts


def label_maps(results: Sequence[Result], replays: Replays, tell: Tell) -> list[Part]:
    """What the finished label maps are worth, with all clicks of an image."""
    lines: list[list[str]] = []
    remarks: list[Part] = []
    for group, part in by_group(results).items():
        try:
            lines.append(finished(part, replays).line)
        except ValueError as problem:
            tell(f"no label maps of {' '.join(group)}: {problem}")
            remarks.append(Text(f"No label maps of {' '.join(group)}: {problem}"))
    return [Table(LABEL_MAPS, TITLES, lines), *remarks] if lines else remarks


def by_group(results: Sequence[Result]) -> dict[Group, list[Result]]:
    groups: dict[Group, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    return groups


def origins(results: Sequence[Result]) -> Table:
    """What made each group of results."""
    titles = ["method", "data", "robot", "objects", "weights", "device", "code"]
    groups: dict[tuple[str, ...], int] = {}
    for result in results:
        made = result.settings
        told = (made.weights, made.device, made.revision) if made else ("",) * 3
        key = (*result.group, *(word or "-" for word in told))
        groups[key] = groups.get(key, 0) + 1
    lines = [[*key[:3], str(count), *key[3:]] for key, count in groups.items()]
    return Table("Weights are the first digits of their sha256", titles, lines)


def markdown_of(sections: Sequence[Section]) -> str:
    """The page's words and tables, without pictures."""
    blocks = [f"# {TITLE}"]
    for section in sections:
        words = [markdown_part(part) for part in section.parts]
        told = [word for word in words if word]
        blocks += [f"## {section.title}", *told] if told else []
    return "\n\n".join(blocks) + "\n"


def markdown_part(part: Part) -> str:
    if isinstance(part, Table):
        numeric = [is_numeric(column) for column in zip(*part.lines, strict=True)]
        ruler = ["---:" if is_number else "---" for is_number in numeric]
        lines = [part.titles, ruler, *part.lines]
        rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"**{part.caption}**\n\n{rows}"
    return part.words if isinstance(part, Text) else ""


def slug(text: str) -> str:
    """A file name of the words in ``text``."""
    return re.sub(r"[^\w.=-]+", "-", text.lower()).strip("-")
