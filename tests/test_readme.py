"""What the README says is true: its code runs, its links and keys are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from napari_iseg.gui.commands import key_table

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_library_example_finds_a_coin():
    names: dict = {}

    exec(_python_block(ROOT / "README.md"), names)

    mask, patch = names["mask"], names["patch"]
    assert mask[185, 347]
    assert 2000 < mask.sum() < 4000  # the coin has about 3000 pixels
    assert patch.at(185, 347) > 0.5 > patch.at(150, 347)


def test_the_keys_are_those_of_the_window():
    shown = _between("keys", ROOT / "README.md")

    assert shown == key_table(), "paste gui.commands.key_table() into the README"


def test_the_measured_table_has_its_place():
    table = _between("table", ROOT / "README.md")

    assert table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))

    inside = [link for link in links if not link.startswith("http")]

    assert [link for link in inside if not (page.parent / link).exists()] == []


def _python_block(page: Path) -> str:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    return blocks[0]


def _between(name: str, page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    assert text.count(begin) == text.count(end) == 1
    return text.split(begin)[1].split(end)[0].strip()
