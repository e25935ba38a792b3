"""The one table of commands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from napari_iseg.gui.commands import COMMANDS, key_table, shown_key

# napari 0.9 or its Labels, Points and Image layers use these
TAKEN = set("SCAREDMXVPZFBLOY1234567")


def test_no_key_means_two_things():
    keys = Counter(key for command in COMMANDS for key in command.keys)

    assert max(keys.values()) == 1
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_no_key_is_one_that_napari_uses():
    keys = {key for command in COMMANDS for key in command.keys}

    assert not keys & TAKEN


def test_every_command_says_what_it_does_and_has_its_key_on_the_button():
    for command in COMMANDS:
        assert command.tooltip
        assert all(shown_key(key) in key_table() for key in command.keys)
        if command.keys:
            assert command.text.endswith(shown_key(command.keys[0]))


def test_the_documented_keys_are_those_of_the_table():
    page = Path(__file__).parents[2] / "docs" / "keys.md"

    assert key_table() in page.read_text(encoding="utf-8"), (
        "write the table anew: python -m napari_iseg.gui.commands > docs/keys.md"
    )


def test_keys_are_written_as_people_write_them():
    assert shown_key("Control-Shift-Z") == "Ctrl+Shift+Z"
