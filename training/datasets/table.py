"""Every data set that methods are measured on, by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from training.datasets import (
    berkeley,
    cell_tracking,
    cells,
    click_logs,
    coco,
    davis,
    davis585,
    grabcut,
    kitti,
    livecell,
    nuclei,
    plain_folder,
    saliency,
    sbd,
    voc,
)
from training.datasets.data_set import DataSet, DataSetEntry

DATASETS: Mapping[str, DataSetEntry] = {
    **cells.ENTRIES,
    **grabcut.ENTRIES,
    **berkeley.ENTRIES,
    **davis.ENTRIES,
    **davis585.ENTRIES,
    **sbd.ENTRIES,
    **voc.ENTRIES,
    **coco.ENTRIES,
    **kitti.ENTRIES,
    **saliency.ENTRIES,
    **cell_tracking.ENTRIES,
    **livecell.ENTRIES,
    **nuclei.ENTRIES,
    "folder": plain_folder.ENTRY,
    "click-log": click_logs.log_entry(),
}


def entry(name: str) -> DataSetEntry:
    """The data set called ``name``.

    Raises
    ------
    ValueError
        If there is none: says which name is meant.
    """
    if name in DATASETS:
        return DATASETS[name]
    near = get_close_matches(name, DATASETS, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(DATASETS)}"
    raise ValueError(f"no data set is called '{name}'; {hint}")


def open_dataset(name_or_path: str | Path, root: Path) -> DataSet:
    """A data set by its name, or a folder or click log of the user's by its path.

    Parameters
    ----------
    name_or_path
        A name of ``DATASETS``; or a folder with ``images`` and ``labels``, a click log
        or a folder of click logs. Paths are looked up as given, then below ``root``.
    root
        The folder that holds the data sets, or the data set's own folder. Images of
        click logs may lie there, too.

    Raises
    ------
    ValueError
        If there is no such name or path, or files are missing.
    """
    name = str(name_or_path)
    if name in DATASETS:
        return DATASETS[name].open(root)
    for path in (Path(name), root / name):
        if path.is_file() or path.is_dir():
            return at_path(path, root)
    if click_logs.is_log(Path(name)):
        raise ValueError(f"there is no click log at {name}, nor in {root}")
    return entry(name).open(root)


def at_path(path: Path, root: Path) -> DataSet:
    """The user's own folder, click log or folder of click logs."""
    if path.is_file() and not click_logs.is_log(path):
        raise ValueError(
            f"{path} is no data set; give a folder with images and labels, or a click "
            f"log (*{click_logs.ENDING})"
        )
    if path.is_dir() and not any(map(click_logs.is_log, path.iterdir())):
        return plain_folder.ENTRY.open(path)
    return click_logs.log_entry([root]).open(path)
