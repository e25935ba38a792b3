"""What was taught has a name that every door of the package knows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_iseg import load_segmenter
from napari_iseg.cli import main
from napari_iseg.taught import (
    check_free,
    free_name,
    keep,
    new_path,
    parts_of,
    taught_folder,
    taught_methods,
)
from napari_iseg.weights import WeightsCard, packaged_card, read_card


def kept(name: str, weights: Path) -> Path:
    """``weights`` as if they had been taught under this name."""
    path = new_path("cells", name)
    content = weights.read_bytes()

    def card(sha256: str, size: int) -> WeightsCard:
        own = ("6 objects of the user in wells",)
        return WeightsCard(path.name, sha256, size, "own", own, "taught", "")

    keep(path, content, card)
    return path


def test_taught_weights_are_a_method_by_their_name(weights: Path):
    kept("my worms", weights)

    segmenter = load_segmenter("cells+my worms", device="cpu")

    assert taught_methods() == ["cells+my worms"]
    assert segmenter.model.net.width == 4  # and not the shipped one


def test_they_are_listed_on_the_command_line(weights: Path, capsys):
    kept("my worms", weights)

    assert main(["methods"]) == 0

    (line,) = (one for one in capsys.readouterr().out.splitlines() if "worms" in one)
    assert line.startswith("cells+my worms")
    assert line.endswith("Taught on 6 objects of the user in wells.")


def test_a_segment_is_made_with_them_on_the_command_line(weights: Path, tmp_path: Path):
    import cv2

    from tests.teaching.conftest import drawn_image

    kept("mine", weights)
    cv2.imwrite(str(tmp_path / "image.png"), drawn_image("a", 1).image)

    code = main(
        [
            "segment",
            str(tmp_path / "image.png"),
            *("--positive", "28,28", "--method", "cells+mine"),
            *("-o", str(tmp_path / "labels.tif")),
        ]
    )

    assert code == 0
    assert (tmp_path / "labels.tif").is_file()


def test_cvat_serves_them_by_their_name(weights: Path):
    from napari_iseg.cvat.interactor import Interactor

    kept("mine", weights)

    served = Interactor.from_environment(
        {"ISEG_METHOD": "cells+mine", "ISEG_DEVICE": "cpu"}
    )

    assert served.settings.method == "cells+mine"


def test_an_unknown_name_is_told_with_those_there_are(weights: Path):
    with pytest.raises(ValueError, match=r"'cells\+worms' in .*nothing was taught yet"):
        load_segmenter("cells+worms")
    kept("flies", weights)
    with pytest.raises(ValueError, match=r"there are: cells\+flies"):
        load_segmenter("cells+worms")


def test_a_changed_file_is_not_used(weights: Path):
    path = kept("mine", weights)
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(ValueError, match="damaged or another file"):
        load_segmenter("cells+mine")


def test_old_weights_are_never_overwritten(weights: Path):
    path = kept("mine", weights)
    before = path.read_bytes()

    with pytest.raises(ValueError, match=r"old weights are never overwritten; choose"):
        new_path("cells", "mine")
    with pytest.raises(ValueError, match="never overwritten"):
        keep(path, b"others", lambda sha256, size: packaged_card("cells"))

    assert path.read_bytes() == before
    assert free_name("cells") == "my cells"
    shutil.copy(path, path.with_name("cells+my cells.safetensors"))
    assert free_name("cells") == "my cells 2"


def test_a_lone_card_is_not_overwritten_either(tmp_path: Path):
    (tmp_path / "a.json").write_text("{}")

    with pytest.raises(ValueError, match="never overwritten"):
        check_free(tmp_path / "a.safetensors")


def test_half_a_file_is_not_left_behind(weights: Path):
    """Given a disk that is full when the card is written, then nothing is there."""
    path = new_path("cells", "mine")

    def full(sha256: str, size: int) -> WeightsCard:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        keep(path, b"content", full)

    assert list(taught_folder().iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", " a", "a+b", "a.", "x" * 61])
def test_a_name_that_is_none_for_a_file_is_refused(name: str):
    with pytest.raises(ValueError, match="is no name for taught weights; use 1 to 60"):
        new_path("cells", name)


def test_a_name_is_taken_apart():
    assert parts_of("cells+my worms") == ("cells", "my worms")
    assert parts_of("cells") == ("cells", "")


def test_the_card_is_of_the_file(weights: Path):
    path = kept("mine", weights)

    card = read_card(path.with_suffix(".json"))

    assert card.size == path.stat().st_size
