"""Berkeley: a hundred objects of BSDS300 (McGuinness & O'Connor, 2010)."""

from __future__ import annotations

from pathlib import Path

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import folder_gap, shortened
from training.datasets.label_files import read_three_level
from training.datasets.mask_files import Masked, MaskFiles
from training.datasets.pictures import by_stem, pictures_in
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
Berkeley/images/<name>.jpg     or <name>#<k>.jpg, one copy for each object
Berkeley/masks/<name>.png      0 background, 255 object, 128 ignored if there is any
Berkeley/masks/<name>#<k>.png  where an image has several objects
"""


def name_and_label(stem: str) -> tuple[str, str]:
    """``3096#2`` is object 2 of image 3096; without a number it is object 1."""
    name, _, label = stem.partition("#")
    return name, label or "1"


def image_for(stem: str, images: dict[str, Path]) -> Path | None:
    """The photograph of a mask: its own copy ``name#k``, else ``name``."""
    return images.get(stem) or images.get(name_and_label(stem)[0])


def opened(folder: Path) -> SceneDataSet:
    images = by_stem(pictures_in(folder / "images"))
    masks: dict[str, dict[str, Path]] = {}
    photographs: dict[str, Path] = {}
    for stem, path in by_stem(pictures_in(folder / "masks")).items():
        name, label = name_and_label(stem)
        masks.setdefault(name, {})[label] = path
        photograph = image_for(stem, images)
        assert photograph is not None, "gaps() comes first"
        photographs.setdefault(name, photograph)
    items = tuple(Masked(name, photographs[name], masks[name]) for name in masks)
    return SceneDataSet(MaskFiles(items, read_three_level))


def gaps(folder: Path) -> list[str]:
    found = folder_gap(folder / "images") + folder_gap(folder / "masks")
    if found:
        return found
    images = by_stem(pictures_in(folder / "images"))
    masks = by_stem(pictures_in(folder / "masks"))
    named = {name_and_label(stem)[0] for stem in masks}
    return shortened(
        [
            f"{path} has no image: {name_and_label(stem)[0]}.jpg is missing."
            for stem, path in masks.items()
            if image_for(stem, images) is None
        ]
    ) + shortened(
        [
            f"{path} has no mask: {stem}.png is missing."
            for stem, path in images.items()
            if stem not in masks and ("#" in stem or stem not in named)
        ]
    )


ENTRIES = {
    "berkeley": DataSetEntry(
        "Berkeley: objects in photographs of BSDS300",
        "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0",
        "BSDS300: for research and teaching that is not commercial",
        LAYOUT,
        ("Berkeley",),
        opened,
        gaps,
        "100 objects in 96 images",
    )
}
