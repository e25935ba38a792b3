"""What data sets there are, and what is missing of one, in words."""

from __future__ import annotations

from pathlib import Path

from training.datasets.data_set import DataSet
from training.datasets.sampling import image_of
from training.datasets.table import DATASETS, entry

HEAD = """\
| name | what | objects, as published | from | licence |
|---|---|---|---|---|
"""


def listing() -> str:
    """Markdown: a table of every data set, then the folders that each is read from."""
    rows = [
        f"| `{name}` | {one.title} | {one.published} | {linked(one.source)} "
        f"| {one.licence} |"
        for name, one in DATASETS.items()
    ]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(layouts())


def layouts() -> list[str]:
    """One block of files for all the data sets that share it."""
    sharing: dict[str, list[str]] = {}
    for name in DATASETS:
        sharing.setdefault(block(name), []).append(name)
    return [
        f"{', '.join(f'`{name}`' for name in names)}\n\n```\n{text}```\n"
        for text, names in sharing.items()
    ]


def block(name: str) -> str:
    """The files of a data set; of a plain folder also where it lies."""
    one = DATASETS[name]
    where = one.folders[0] if one.folders else ""
    is_below = where and where not in one.layout
    return f"in {where}/\n{one.layout}" if is_below else one.layout


def linked(source: str) -> str:
    """Addresses as links that Markdown shows short."""
    words = [
        f"<{word.strip('();,')}>" if word.strip("();,").startswith("http") else word
        for word in source.split()
    ]
    return " ".join(words)


def check(name: str, root: Path) -> list[str]:
    """What is missing in ``root``; or one sentence with what was counted.

    Raises
    ------
    ValueError
        If no data set has this name, or one of its files is damaged.
    """
    one = entry(name)
    return one.missing(root) or [counted(name, one.open(root), one.published)]


def counted(name: str, dataset: DataSet, published: str) -> str:
    samples = dataset.samples()
    images = len({image_of(sample) for sample in samples})
    note = f" (as published: {published})" if published else ""
    return f"{name} is complete: {len(samples)} objects in {images} images{note}."
