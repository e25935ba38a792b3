"""Weights as data: the card beside each file, where it is, whether it is the one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.atomic_files import written_whole

Results = Mapping[str, Mapping[str, str | float]]


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """What is known about a weights file; a command writes it, nobody types it.

    Attributes
    ----------
    file
        Name of the safetensors file.
    sha256
        Of that file, 64 hexadecimal digits.
    size
        Of that file, in bytes.
    licence
        SPDX name, as far as there is one.
    trained_on
        Data sets.
    recipe
        Name of the training recipe.
    revision
        Git revision of the training code.
    results
        Data set -> {"robot": name, "noc85": clicks, "noc90": clicks, ...}.
    url
        Where the file can be downloaded; None if it comes with the package.
    limits
        What the training data lack, and what stands in for it.
    """

    file: str
    sha256: str
    size: int
    licence: str
    trained_on: tuple[str, ...]
    recipe: str
    revision: str
    results: Results = field(default_factory=dict)
    url: str | None = None
    limits: str = ""


def packaged_card(name: str) -> WeightsCard:
    """The card ``name`` that comes with the package.

    Raises
    ------
    ValueError
        If there is none.
    """
    return read_card(_packaged(f"{name}.json"))


def read_card(path: Path) -> WeightsCard:
    """A card from its JSON file.

    Raises
    ------
    ValueError
        If the file is missing or no card.
    """
    if not path.is_file():
        raise ValueError(f"there is no weights card at {path}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["trained_on"] = tuple(content["trained_on"])
        card = WeightsCard(**content)
    except (UnicodeDecodeError, json.JSONDecodeError, TypeError, KeyError) as problem:
        raise ValueError(f"{path} is not a weights card: {problem}") from problem
    if not re.fullmatch("[0-9a-f]{64}", card.sha256):
        raise ValueError(f"{path} has no sha256 of 64 digits but {card.sha256!r}")
    return card


def write_card(path: Path, card: WeightsCard) -> None:
    """Write ``card`` as JSON; ValueError if there is no such folder."""
    with written_whole(path) as unfinished:
        text = json.dumps(asdict(card), indent=1, ensure_ascii=False)
        unfinished.write_text(f"{text}\n", encoding="utf-8")


def locate(weights: WeightsCard | str | Path) -> Path:
    """Where the file is, after its checksum was compared with the card's.

    Parameters
    ----------
    weights
        A card of this package: the file comes with the package or is downloaded once.
        Or a path of your own; a card beside it (same name, ``.json``) must match.

    Raises
    ------
    ValueError
        If the file is missing, cannot be downloaded, or is not the card's.
    """
    if isinstance(weights, WeightsCard):
        shipped = _packaged(weights.file)
        if shipped.is_file() or weights.url is None:
            return _checked(shipped, weights)
        return fetch(weights)
    path = Path(weights)
    beside = path.with_suffix(".json")
    if path.is_file() and beside.is_file() and beside != path:
        return _checked(path, read_card(beside))
    return _existing(path)


def fetch(card: WeightsCard, *, progress: bool = True) -> Path:
    """Where the file of a downloadable card is; downloads it if it is not there.

    Raises
    ------
    ValueError
        If the download fails or brings another file: says what to put where.
    """
    path = cache_folder() / card.file
    if path.is_file() and sha256_of(path) == card.sha256:
        return path
    import pooch  # slow, and seldom needed

    try:
        pooch.retrieve(
            card.url,
            known_hash=f"sha256:{card.sha256}",
            fname=card.file,
            path=path.parent,
            progressbar=progress,
        )
    except (OSError, ValueError) as problem:  # requests' errors are OSErrors
        raise ValueError(
            f"could not download {card.file} ({problem}); download {card.url} "
            f"elsewhere and put it at {path}"
        ) from problem
    return path


def cache_folder() -> Path:
    """Downloads are kept in ``NAPARI_ISEG_CACHE`` or the platform's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("NAPARI_ISEG_CACHE")
    return Path(chosen) if chosen else user_cache_path("napari-iseg")


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a safetensors file, by name, as stored.

    Raises
    ------
    ValueError
        If the file is missing or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: dict[str, NDArray[Any]] = load_file(_existing(path))
    except (SafetensorError, OSError, KeyError) as problem:
        raise _no_weights(path, problem) from problem
    return {name: np.asarray(tensor) for name, tensor in tensors.items()}


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says about itself; empty if it says nothing.

    Raises
    ------
    ValueError
        If the file is missing or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_existing(path), framework="numpy") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as problem:
        raise _no_weights(path, problem) from problem


def sha256_of(path: Path) -> str:
    """64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged(name: str) -> Path:
    return Path(str(files("napari_iseg"))) / "data" / "weights" / name


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no weights file at {path}; check the path")
    return path


def _no_weights(path: Path, problem: Exception) -> ValueError:
    return ValueError(
        f"{path} is not a weights file ({problem}); choose a .safetensors file "
        "that `python -m training export` wrote"
    )


def _checked(path: Path, card: WeightsCard) -> Path:
    found = sha256_of(_existing(path))
    if found != card.sha256:
        raise ValueError(
            f"{path} is damaged or another file: its card says sha256 {card.sha256}, "
            f"it has {found}; get the file again, or remove the card beside it if you "
            "changed it yourself"
        )
    return path
