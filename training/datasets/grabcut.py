"""GrabCut: fifty photographs with one object each (Rother et al., SIGGRAPH 2004)."""

from __future__ import annotations

from pathlib import Path

from training.datasets import plain_folder
from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import folder_gap, unmatched
from training.datasets.label_files import LabelFiles, Pair, read_three_level
from training.datasets.pictures import by_stem, pictures_in
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
GrabCut/data_GT/<name>.<jpg, bmp>    the photographs
GrabCut/boundary_GT/<name>.bmp       0 background, 255 object, 128 ignored band
or the same with plain label images:
GrabCut/images/<name>.jpg
GrabCut/labels/<name>.png            0 background, 1 object, 65535 ignored band
"""


def opened(folder: Path) -> SceneDataSet:
    if not (folder / "data_GT").is_dir():
        pairs = plain_folder.pairs_in(folder)
        decode = plain_folder.read_label_image
        return SceneDataSet(LabelFiles(tuple(pairs), decode, single=True))
    images = by_stem(pictures_in(folder / "data_GT"))
    truths = by_stem(pictures_in(folder / "boundary_GT"))
    found = tuple(Pair(name, path, truths[name]) for name, path in images.items())
    return SceneDataSet(LabelFiles(found, read_three_level, single=True))


def gaps(folder: Path) -> list[str]:
    if (folder / "images").is_dir() and (folder / "labels").is_dir():
        return plain_folder.gaps(folder)
    images, truths = folder / "data_GT", folder / "boundary_GT"
    found = folder_gap(images) + folder_gap(truths)
    return found or unmatched(pictures_in(images), pictures_in(truths))


ENTRIES = {
    "grabcut": DataSetEntry(
        "GrabCut: photographs with one object",
        "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0",
        "Microsoft Research, for research",
        LAYOUT,
        ("GrabCut", "bench/grabcut"),
        opened,
        gaps,
        "50 objects in 50 images (Latent Diversity: 49)",
    )
}
