"""The loop in words."""

from __future__ import annotations

import pytest

from napari_iseg.gui.controls.channel_chooser import channels_text, parsed_channels
from napari_iseg.gui.status import object_text, status_text
from tests.gui.conftest import Bench


def text(bench):
    return status_text(bench.desk.controller, "Cells")


def test_the_line_follows_a_click(bench):
    assert text(bench) == "ready · Cells"

    bench.positive.add((15, 15))
    assert text(bench) == "preparing Cells …"
    bench.settle()
    assert text(bench).startswith("Cells · auto · ")
    assert text(bench).endswith("every click is satisfied")
    bench.positive.add((16, 16))
    assert text(bench) == "Cells is working …"


def test_going_back_to_an_earlier_answer_claims_no_time_for_it(bench):
    bench.click(15, 15)
    bench.click(16, 16)

    bench.desk.controller.do(lambda s: s.undo())

    assert text(bench) == "Cells · every click is satisfied"


def test_a_click_that_is_not_honoured_is_counted(bench):
    bench.click(15, 15)
    bench.click(0, 0)

    assert text(bench).endswith("1 click is not satisfied (ringed yellow)")


def test_without_an_image_the_line_says_what_to_do():
    assert "open an image" in text(Bench())


def test_the_object_in_progress_is_named(bench):
    assert object_text(bench.session) == "Object 1 · click on it"

    bench.click(15, 15)

    assert object_text(bench.session) == "Object 1 · 1 click (+1 -0)"


def test_channels_are_read_as_people_write_them():
    assert parsed_channels(" All ") is None
    assert parsed_channels("0, 2") == (0, 2)
    assert parsed_channels("2 1") == (2, 1)
    assert channels_text(parsed_channels("0,2")) == "0, 2"
    with pytest.raises(ValueError, match="channels are"):
        parsed_channels("red")
