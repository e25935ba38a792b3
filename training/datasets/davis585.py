"""DAVIS-585: objects in frames, with masks to start from (FocalClick, CVPR 2022)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap
from training.datasets.label_files import read_binary
from training.datasets.mask_files import Masked, MaskFiles
from training.datasets.pictures import pictures_in
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
DAVIS585/<sequence>/<frame>.jpg
DAVIS585/<sequence>/<object>_<frame>.png            brighter than 127: the object
DAVIS585/<sequence>/init_{kind}_<object>_<frame>.png   the mask to start from
"""


def masked(folder: Path, kind: str) -> list[Masked]:
    """Every frame of which a mask is there, true or to start from.

    Some archives hold the sequences in a folder ``data``.
    """
    folder = folder / "data" if (folder / "data").is_dir() else folder
    found: list[Masked] = []
    for place in sorted(p for p in folder.glob("*") if p.is_dir()):
        frames: dict[str, list[str]] = {}
        for path in pictures_in(place, (".png",)):
            stem = path.stem.removeprefix(f"init_{kind}_")
            if not stem.startswith("init_"):
                label, _, frame = stem.rpartition("_")
                frames.setdefault(frame, []).append(label)
        for frame, labels in sorted(frames.items()):
            names = {label: f"{label}_{frame}.png" for label in sorted(set(labels))}
            found.append(
                Masked(
                    f"{place.name}/{frame}",
                    place / f"{frame}.jpg",
                    {label: place / name for label, name in names.items()},
                    {label: place / f"init_{kind}_{n}" for label, n in names.items()},
                )
            )
    return found


def opened(folder: Path, kind: str) -> SceneDataSet:
    return SceneDataSet(MaskFiles(tuple(masked(folder, kind)), read_binary))


def gaps(folder: Path, kind: str) -> list[str]:
    found = masked(folder, kind)
    if not found:
        return folder_gap(folder) or [f"There is no <object>_<frame>.png in {folder}."]
    return file_gaps(
        path
        for one in found
        for path in (one.image, *one.masks.values(), *one.starts.values())
    )


def davis585_entry(kind: str, started: str) -> DataSetEntry:
    return DataSetEntry(
        f"DAVIS-585: objects with masks to start from, {started}",
        "https://github.com/alibaba/ClickSEG",
        "as stated on the site of DAVIS, for research",
        LAYOUT.format(kind=kind),
        ("DAVIS585", "DAVIS-585"),
        partial(opened, kind=kind),
        partial(gaps, kind=kind),
        "585 objects",
    )


ENTRIES = {
    "davis-585": davis585_entry("sp", "made of superpixels"),
    "davis-585/tracked": davis585_entry("stm", "tracked by STM"),
}
