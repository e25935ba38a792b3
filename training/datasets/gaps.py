"""What is missing in a folder, in sentences that name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

MOST = 20  # sentences of one kind: a listing, not a flood


def folder_gap(folder: Path) -> list[str]:
    """A sentence if ``folder`` is not there or holds nothing."""
    if not folder.is_dir():
        return [f"The folder {folder} is missing."]
    if next(folder.iterdir(), None) is None:
        return [f"The folder {folder} is empty."]
    return []


def file_gaps(paths: Iterable[Path]) -> list[str]:
    """A sentence for each file that is not there."""
    return shortened([f"The file {path} is missing." for path in absent(paths)])


def absent(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if not path.is_file()]


def unmatched(images: Sequence[Path], truths: Sequence[Path]) -> list[str]:
    """Sentences about images without truth, and the other way round, by stem."""
    named = {path.stem for path in images}
    known = {path.stem for path in truths}
    alone = [
        f"{path} has no mask or label image beside it: {path.stem}.* is missing."
        for path in images
        if path.stem not in known
    ]
    orphans = [
        f"{path} has no image: {path.stem}.* is missing."
        for path in truths
        if path.stem not in named
    ]
    return shortened(alone) + shortened(orphans)


def shortened(sentences: list[str]) -> list[str]:
    """The first ``MOST``, then how many more there are."""
    more = len(sentences) - MOST
    return [*sentences[:MOST], f"And {more} more."] if more > 0 else sentences
