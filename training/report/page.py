"""One HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).parent
TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Table:
    """Titles and lines of text; a column of numbers sorts by value."""

    caption: str
    titles: Sequence[str]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file that goes into the page, and what it shows."""

    path: Path
    caption: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: str


Part: TypeAlias = Table | Picture | Text


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    parts: Sequence[Part]


def page(title: str, sections: Sequence[Section]) -> str:
    """The whole page; style, script and images are inside."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    links = "".join(
        f'<a href="#part{i}">{escape(one.title)}</a>' for i, one in enumerate(sections)
    )
    body = "\n".join(section(one, i) for i, one in enumerate(sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<nav>{links}</nav>\n{body}\n"
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )


def section(one: Section, number: int) -> str:
    parts = "\n".join(html_of(part) for part in one.parts)
    head = f'<h2 id="part{number}">{escape(one.title)}</h2>'
    return f"<section>\n{head}\n{parts}\n</section>"


def html_of(part: Part) -> str:
    if isinstance(part, Table):
        return table(part)
    if isinstance(part, Picture):
        return picture(part)
    return f"<p>{escape(part.words)}</p>"


def picture(one: Picture) -> str:
    data = base64.b64encode(one.path.read_bytes()).decode("ascii")
    source = f"data:{TYPES[one.path.suffix]};base64,{data}"
    caption = escape(one.caption)
    return (
        f'<figure><img src="{source}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def table(one: Table) -> str:
    numeric = [is_numeric(column) for column in zip(*one.lines, strict=True)]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f'<th scope="col"{kind}><button>{escape(title)}</button></th>'
        for title, kind in zip(one.titles, kinds, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{escape(cell)}</td>"
            for cell, kind in zip(line, kinds, strict=True)
        )
        + "</tr>"
        for line in one.lines
    )
    return (
        f'<div class="wide"><table><caption>{escape(one.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def is_numeric(cells: Iterable[str]) -> bool:
    """Whether a column holds numbers, with '-' where there is none."""
    shown = [cell.rstrip("%") for cell in cells if cell != "-"]
    return bool(shown) and all(is_float(cell) for cell in shown)


def is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
