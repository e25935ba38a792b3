"""Libraries that cut graphs are compared on the same graph."""

from __future__ import annotations

import pytest

from napari_iseg.classical.banded_cut import whole_cut
from training.__main__ import main
from training.max_flow import LIBRARIES, drawn


@pytest.mark.parametrize("title", LIBRARIES)
def test_every_library_finds_the_same_cut(title: str) -> None:
    library = LIBRARIES[title]
    pytest.importorskip(library.needs)
    energy = drawn(24)

    found = library.cut(energy)

    assert 0 < found.sum() < found.size
    assert (found != whole_cut(energy)).sum() == 0


def test_the_drawn_answer_is_a_graph_worth_cutting() -> None:
    energy = drawn(64)

    changed = whole_cut(energy) != (energy.evidence > 0)

    assert changed.mean() > 0.02


def test_one_command_writes_the_table(capsys, tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- table:begin -->\n<!-- table:end -->\n")

    assert main(["max-flow", "--sides", "16", "24", "--into", str(page)]) == 0

    table = capsys.readouterr().out
    assert all(title in table for title in LIBRARIES)
    assert "| 16 x 16 | 24 x 24 |" in table
    assert table in page.read_text()
