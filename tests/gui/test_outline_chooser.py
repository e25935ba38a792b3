"""Outlines are polished when the user says so, with every method."""

from __future__ import annotations

import pytest

from napari_iseg.gui.controls.method_chooser import MethodChooser, method_title
from napari_iseg.gui.controls.outline_chooser import OutlineChooser
from tests.gui.conftest import squares
from tests.gui.test_window import open_window  # noqa: F401 - a fixture


def test_polish_is_part_of_what_is_asked_and_logged(bench) -> None:
    bench.desk.choose_polish(polish=True)
    bench.click(15, 15)
    bench.accept()

    assert bench.desk.controller.method.name == "cells~polished"
    assert bench.session.objects[1].method == "cells~polished"

    bench.desk.choose_polish(polish=False)

    assert bench.desk.controller.method.name == "cells"


def test_another_method_is_polished_as_the_one_before(bench) -> None:
    bench.desk.choose_polish(polish=True)

    bench.desk.choose_method("graph-cut")

    assert bench.desk.controller.method.name == "graph-cut~polished"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cells", "Cells"),
        ("cells~polished", "Cells, polished"),
        ("cells+worms~polished", "Cells · worms, polished"),
    ],
)
def test_titles_tell_what_is_polished(name: str, title: str) -> None:
    assert method_title(name) == title


@pytest.mark.gui
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning:napari")
def test_the_choice_is_in_the_dock(open_window) -> None:  # noqa: F811
    window = open_window(squares(60, 70))
    (outline,) = window.find(OutlineChooser)
    (method,) = window.find(MethodChooser)
    assert outline.currentText() == "of the method"

    outline._activated(1)

    assert window.desk.controller.method.name == "cells~polished"
    assert outline.currentText() == "polished by graph cut"
    assert method.currentText() == "Cells"
