"""Weights that a user taught: where they lie, and what they are called.

A taught method is called ``METHOD+NAME``: "cells+my worms" is ``cells`` with the
weights that were taught under the name "my worms". That is a name wherever a method is
asked for: in the plugin, in click logs, on the command line and in CVAT's settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

from napari_iseg.weights import WeightsCard, sha256_of, write_card

JOINT = "+"
NAME = re.compile(r"\w[\w .-]{0,59}(?<![ .])")


def taught_folder() -> Path:
    """``NAPARI_ISEG_TAUGHT``, or a folder among the platform's data of the user."""
    from platformdirs import user_data_path

    chosen = os.environ.get("NAPARI_ISEG_TAUGHT")
    return Path(chosen) if chosen else user_data_path("napari-iseg") / "taught"


def taught_methods() -> list[str]:
    """Every name like "cells+my worms" that has weights and a card, sorted."""
    found = taught_folder().glob(f"*{JOINT}*.safetensors")
    return sorted(one.stem for one in found if one.with_suffix(".json").is_file())


def is_taught(method: str) -> bool:
    """Whether the name is one of a taught method; there may be none of this name."""
    return JOINT in method


def parts_of(method: str) -> tuple[str, str]:
    """Method and name: of "cells+my worms" these two, of "cells" it and ""."""
    base, _, name = method.partition(JOINT)
    return base, name


def taught_path(method: str) -> Path:
    """The weights of "cells+my worms".

    Raises
    ------
    ValueError
        If nothing was taught under this name: says what there is.
    """
    known = taught_methods()
    if method not in known:
        there = f"there are: {', '.join(known)}" if known else "nothing was taught yet"
        raise ValueError(
            f"no weights are called {method!r} in {taught_folder()}; {there}"
        )
    return taught_folder() / f"{method}.safetensors"


def new_path(base: str, name: str) -> Path:
    """Where weights taught under ``name`` will lie.

    Raises
    ------
    ValueError
        If it is no name for a file, or there are such weights already.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for taught weights; use 1 to 60 letters, digits, "
            "spaces, points and hyphens, beginning with a letter or digit"
        )
    path = taught_folder() / f"{base}{JOINT}{name}.safetensors"
    check_free(path)
    return path


def free_name(base: str) -> str:
    """The first of "my cells", "my cells 2" and so on that is not taken."""
    names = ("my cells" if n == 1 else f"my cells {n}" for n in count(1))
    folder = taught_folder()
    return next(
        one
        for one in names
        if not (folder / f"{base}{JOINT}{one}.safetensors").exists()
    )


def check_free(path: Path) -> None:
    """ValueError if there is something at ``path`` or where its card will be."""
    for one in (path, path.with_suffix(".json")):
        if one.exists():
            raise ValueError(
                f"there is a file {one} already and old weights are never overwritten; "
                "choose another name"
            )


def keep(path: Path, content: bytes, card: Callable[[str, int], WeightsCard]) -> None:
    """Write weights and card; what is there already is never overwritten.

    Parameters
    ----------
    card
        Makes the card of the weights' sha256 and size in bytes.

    Raises
    ------
    ValueError
        If there is such a file already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    check_free(path)
    try:
        with path.open("xb") as file:
            file.write(content)
        write_card(path.with_suffix(".json"), card(sha256_of(path), len(content)))
    except FileExistsError:
        check_free(path)
        raise
    except OSError:
        path.unlink(missing_ok=True)  # half a file: the disk is full
        raise
