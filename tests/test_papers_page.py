"""The page of papers points at what is there: files, functions, classes, arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from napari_iseg.nets.papers import NETWORKS

ROOT = Path(__file__).parents[1]
TREES = ("src", "training", "tests")
PAGES = ("papers.md", "brs.md", "polish.md")
PAPERS = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
SECTIONS = {  # of the page: the network
    "iFCN (DOS)": "ifcn",
    "Latent Diversity": "latent-diversity",
    "FCTSFN": "fctsfn",
    "BRS": "brs",
    "ITIS": "itis",
    "RIS-Net": "ris-net",
}


@dataclass(frozen=True)
class Pointer:
    """A cell of a column "where", and the file that the column's title names."""

    page: str
    cell: str
    file: str


def pointers() -> Iterator[Pointer]:
    for page in PAGES:
        titles: list[str] = []
        for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
            if not line.startswith("|"):
                titles = []
                continue
            cells = [one.strip() for one in line.strip("|").split(" | ")]
            if not titles:
                titles = cells
            elif set(line) - set("|-: "):
                for title, cell in zip(titles, cells, strict=False):
                    if title.strip("| ").startswith("where") and "`" in cell:
                        file = re.search(r"`(\w+\.py)`", title)
                        yield Pointer(page, cell, file[1] if file else "")


@cache
def files(name: str) -> tuple[Path, ...]:
    """All whose path ends so."""
    return tuple(one for one in all_files() if one.as_posix().endswith(f"/{name}"))


@cache
def all_files() -> tuple[Path, ...]:
    return tuple(path for tree in TREES for path in (ROOT / tree).rglob("*.py"))


@cache
def names_in(path: Path) -> frozenset[str]:
    """What is defined, imported or an argument there; members as ``Class.member``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef():
                found |= {node.name, *(f"{node.name}.{one}" for one in members(node))}
            case ast.FunctionDef():
                found.add(node.name)
            case ast.arg():
                found.add(node.arg)
            case ast.alias():
                found.add(node.asname or node.name)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
    return frozenset(found)


def members(of: ast.ClassDef) -> Iterator[str]:
    """Methods, fields, and what is set on ``self``."""
    for node in ast.walk(of):
        match node:
            case ast.FunctionDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                yield node.attr


@cache
def everything() -> frozenset[str]:
    return frozenset().union(*(names_in(path) for path in all_files()))


def missing(pointer: Pointer) -> list[str]:
    """Names of the cell that lead nowhere.

    A plain one is looked for in the file that the cell names before it and in that of
    the column; a member of a class anywhere.
    """
    file, lost = pointer.file, []
    for span in re.findall(r"`([^`]+)`", pointer.cell):
        path, _, rest = span.partition(": ")
        words = [span]
        if re.fullmatch(r"[\w/]+\.py", path):
            file, words = path, rest.split(", ") if rest else []
            if not files(path):
                lost.append(path)
        places = {*files(file), *files(pointer.file)}
        known = frozenset().union(*(names_in(one) for one in places))
        for word in words:
            name = re.fullmatch(r"([A-Za-z_]\w*(?:\.\w+)?)(=.+)?", word)
            within = everything() if not file or "." in word else known
            if name and name[1] not in within:
                lost.append(word)
    return lost


@pytest.mark.parametrize("pointer", list(pointers()), ids=lambda one: one.cell[:60])
def test_what_the_page_points_at_is_there(pointer: Pointer) -> None:
    assert missing(pointer) == []


@pytest.mark.parametrize(
    "cell", ["`ifcn.py: Nobody`", "`no_file.py`", "`IFCN.nothing`"]
)
def test_a_pointer_to_nothing_is_found(cell: str) -> None:
    assert missing(Pointer("papers.md", cell, "")) == [cell.strip("`").split(": ")[-1]]


def section(title: str) -> str:
    own = PAPERS.split("## The papers' own networks\n")[1]
    return re.split(r"\n##+ ", own.split(f"\n### {title}\n")[1])[0]


def test_every_network_has_a_section() -> None:
    assert set(SECTIONS.values()) == set(NETWORKS)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_section_says_what_where_what_was_open_and_what_is_wrong(
    title: str,
) -> None:
    """And the sizes that tests count."""
    text = section(title)

    assert re.search(r"^\| what \| where", text, re.M)
    assert re.search(r"^\| ambiguous \| here \| why \|", text, re.M)
    assert re.search(r"^Errors", text, re.M)
    assert re.search(r"\| [\d,]{7,} parameters", text)
    name = SECTIONS[title].replace("-", "_")
    assert f"test_{name}.py" in text
