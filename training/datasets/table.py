"""Every data set that methods are measured on, by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from training.datasets import cells, plain_folder
from training.datasets.data_set import DataSet, DataSetEntry

DATASETS: Mapping[str, DataSetEntry] = {
    **cells.ENTRIES,
    "folder": plain_folder.ENTRY,
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
        A name of ``DATASETS``; or a folder with ``images`` and ``labels``; paths are
        looked up as they are given, then below ``root``.
    root
        The folder that holds the data sets, or the data set's own folder.

    Raises
    ------
    ValueError
        If there is no such name or path, or files are missing.
    """
    name = str(name_or_path)
    if name not in DATASETS:
        for path in (Path(name), root / name):
            if path.is_dir():
                return plain_folder.ENTRY.open(path)
    return entry(name).open(root)
