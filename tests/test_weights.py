"""Weights: only the file that its card describes is used."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from napari_iseg import weights
from napari_iseg.catalog import AUTOMATIC, ENTRIES
from napari_iseg.weights import (
    WeightsCard,
    cache_folder,
    fetch,
    locate,
    packaged_card,
    read_card,
    read_tensors,
    sha256_of,
    write_card,
)

TENSORS = {"first.weight": np.arange(6, dtype=np.float16).reshape(2, 3)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A real weights file without a card."""
    path = tmp_path / "mine.safetensors"
    save_file(TENSORS, path)
    return path


@pytest.fixture
def card(file: Path) -> WeightsCard:
    return WeightsCard(
        file.name,
        sha256_of(file),
        file.stat().st_size,
        "BSD-3-Clause",
        ("disks", "squares"),
        "smoke",
        "abc123",
        {"disks/val": {"robot": "ritm", "noc85": 1.5}},
    )


# ------------------------------------------------------------------------------ cards


def test_a_card_is_read_as_it_was_written(card: WeightsCard, tmp_path: Path):
    path = tmp_path / "card.json"

    write_card(path, card)

    assert read_card(path) == card


def test_a_missing_card_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no weights card at .*nowhere.json"):
        read_card(tmp_path / "nowhere.json")
    with pytest.raises(ValueError, match=r"no weights card at .*cels.json"):
        packaged_card("cels")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello", "is not a weights card: Expecting value"),
        ("[]", "is not a weights card"),
        ("{}", "is not a weights card: 'trained_on'"),
        ('{"trained_on": [], "colour": "red"}', "unexpected keyword argument 'colour'"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path: Path, content: str, message: str):
    path = tmp_path / "card.json"
    path.write_text(content)

    with pytest.raises(ValueError, match=message):
        read_card(path)


def test_a_card_needs_a_whole_checksum(card: WeightsCard, tmp_path: Path):
    path = tmp_path / "card.json"
    write_card(path, replace(card, sha256="abc"))

    with pytest.raises(ValueError, match="no sha256 of 64 digits but 'abc'"):
        read_card(path)


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES.values() if e.card], ids=lambda entry: entry.name
)
def test_the_weights_in_the_package_are_those_of_their_card(entry):
    card = entry.weights_card()

    path = locate(card)

    assert path.stat().st_size == card.size
    assert card.licence
    assert card.trained_on
    assert card.recipe
    assert card.revision
    assert read_tensors(path)
    assert card.results, "measure it, then: python -m training networks --cards"
    for row in card.results.values():
        assert {"robot", "noc85", "noc90"} <= row.keys()


def test_all_weights_together_are_small_and_each_has_its_card():
    folder = Path(str(files("napari_iseg"))) / "data" / "weights"
    cards = {one.card for one in (*ENTRIES.values(), *AUTOMATIC.values()) if one.card}

    found = list(folder.glob("*.safetensors"))

    assert cards <= {path.stem for path in found}
    assert all(locate(read_card(path.with_suffix(".json"))) == path for path in found)
    assert sum(path.stat().st_size for path in found) < 40_000_000


# ---------------------------------------------------------------------- files of a user


def test_weights_of_a_user_need_no_card(file: Path):
    found = locate(str(file))

    assert found == file


def test_a_card_beside_weights_of_a_user_must_match(file: Path, card: WeightsCard):
    write_card(file.with_suffix(".json"), card)

    found = locate(file)
    save_file({"other": np.zeros(3)}, file)

    assert found == file
    with pytest.raises(
        ValueError,
        match=f"card says sha256 {card.sha256}, it has {sha256_of(file)}; get the file",
    ):
        locate(file)


@pytest.mark.parametrize("use", [locate, read_tensors])
def test_missing_weights_are_named(tmp_path: Path, use):
    with pytest.raises(ValueError, match=r"no weights file at .*nowhere.safetensors"):
        use(tmp_path / "nowhere.safetensors")


def test_tensors_are_read_as_stored(file: Path):
    tensors = read_tensors(file)

    assert list(tensors) == ["first.weight"]
    assert tensors["first.weight"].dtype == np.float16
    assert (tensors["first.weight"] == TENSORS["first.weight"]).all()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00." * 100])
def test_what_is_no_weights_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(
        ValueError, match=r"is not a weights file .*choose a .safetensors"
    ):
        read_tensors(path)


def test_a_weights_file_that_was_cut_off_is_refused(file: Path):
    file.write_bytes(file.read_bytes()[:-3])

    with pytest.raises(ValueError, match="is not a weights file"):
        read_tensors(file)


def test_weights_that_should_come_with_the_package_but_do_not_are_named(
    card: WeightsCard,
):
    with pytest.raises(ValueError, match=r"no weights file at .*mine.safetensors"):
        locate(card)


# -------------------------------------------------------------------------- downloads


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAPARI_ISEG_CACHE", str(folder))
    return folder


@pytest.fixture
def url(file: Path) -> Iterator[str]:
    """A server on this machine that has the file, and nothing else."""
    handler = partial(_Quiet, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{file.name}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


def test_a_download_is_kept_in_the_cache(card: WeightsCard, url: str, cache: Path):
    downloadable = replace(card, url=url)

    first = locate(downloadable)
    again = locate(replace(downloadable, url="http://127.0.0.1:9/not-asked-again"))

    assert first == again == cache / "mine.safetensors"
    assert sha256_of(first) == card.sha256


def test_a_damaged_file_in_the_cache_is_downloaded_again(
    card: WeightsCard, url: str, cache: Path
):
    cache.mkdir()
    (cache / "mine.safetensors").write_bytes(b"half of it")

    path = fetch(replace(card, url=url), progress=False)

    assert sha256_of(path) == card.sha256


def test_a_download_of_something_else_is_refused(
    card: WeightsCard, url: str, cache: Path
):
    other = replace(card, url=url, sha256="0" * 64)

    with pytest.raises(ValueError, match=r"could not download mine.safetensors .*hash"):
        fetch(other, progress=False)

    assert not (cache / "mine.safetensors").exists()


def test_without_network_a_sentence_says_what_to_put_where(
    card: WeightsCard, cache: Path
):
    unreachable = replace(card, url="http://127.0.0.1:9/mine.safetensors")

    with pytest.raises(ValueError, match="could not download") as problem:
        fetch(unreachable, progress=False)

    assert "download http://127.0.0.1:9/mine.safetensors elsewhere" in str(
        problem.value
    )
    assert f"put it at {cache / 'mine.safetensors'}" in str(problem.value)


def test_the_cache_is_the_platform_s_unless_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.delenv("NAPARI_ISEG_CACHE", raising=False)
    default = cache_folder()

    monkeypatch.setenv("NAPARI_ISEG_CACHE", str(tmp_path))

    assert "napari-iseg" in default.parts
    assert cache_folder() == tmp_path


def test_cards_are_plain_json(card: WeightsCard, tmp_path: Path):
    write_card(tmp_path / "card.json", card)

    content = json.loads((tmp_path / "card.json").read_text())

    assert set(content) == set(weights.WeightsCard.__dataclass_fields__)
    assert content["trained_on"] == ["disks", "squares"]
