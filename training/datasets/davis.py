"""DAVIS: frames of videos, with all annotated objects as one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap, unmatched
from training.datasets.label_files import LabelFiles, Pair, merged
from training.datasets.pictures import (
    by_stem,
    pictures_in,
    read_palette,
    read_photograph,
)
from training.datasets.scenes import VOID, SceneDataSet

SAMPLE = """\
{folder}/img/<name>.jpg   the frames
{folder}/gt/<name>.png    every pixel that is not black is the object
"""
SEQUENCES = """\
DAVIS/JPEGImages/480p/<sequence>/<frame>.jpg
DAVIS/Annotations/480p/<sequence>/<frame>.png
DAVIS/ImageSets/{year}/{split}.txt   names of sequences{also}
"""
VOID_INDEX = 255  # of the palette of DAVIS 2017; in DAVIS 2016, 255 is the object
RELEASES = "https://github.com/saic-vul/fbrs_interactive_segmentation/releases/tag/v1.0"


def read_merged(path: Path) -> NDArray[Any]:
    """Every pixel that is not black, as f-BRS and RITM read their sample."""
    pixels = read_photograph(path)
    bright = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    return (bright > 0).astype(np.int64)


def read_2017(path: Path) -> NDArray[Any]:
    """Palette indices; all objects become one, 255 is void."""
    indices = read_palette(path)
    return merged(np.where(indices == VOID_INDEX, VOID, indices))


# The sample of 345 frames


def open_sample(folder: Path) -> SceneDataSet:
    truths = by_stem(pictures_in(folder / "gt"))
    images = by_stem(pictures_in(folder / "img"))
    pairs = tuple(Pair(name, path, truths[name]) for name, path in images.items())
    return SceneDataSet(LabelFiles(pairs, read_merged, single=True))


def sample_gaps(folder: Path) -> list[str]:
    found = folder_gap(folder / "img") + folder_gap(folder / "gt")
    return found or unmatched(pictures_in(folder / "img"), pictures_in(folder / "gt"))


# Whole sequences


def split_file(folder: Path, year: int, split: str) -> Path:
    """DAVIS 2016 by itself has its lists in ``480p``; newer releases by year."""
    by_year = folder / "ImageSets" / str(year) / f"{split}.txt"
    by_size = folder / "ImageSets" / "480p" / f"{split}.txt"
    return by_size if year == 2016 and by_size.is_file() else by_year


def frames(folder: Path, year: int, split: str) -> list[Pair]:
    """The frames of a split: its file names sequences, or pairs of files."""
    found: list[Pair] = []
    for line in split_file(folder, year, split).read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) == 2:
            image, truth = (folder / word.lstrip("/") for word in words)
            found.append(Pair(f"{image.parent.name}/{image.stem}", image, truth))
        else:
            found += sequence(folder, words[0])
    return found


def sequence(folder: Path, name: str) -> list[Pair]:
    """Every frame that has an image or an annotation; its first, if none has."""
    images = folder / "JPEGImages" / "480p" / name
    truths = folder / "Annotations" / "480p" / name
    stems = sorted({path.stem for path in pictures_in(images) + pictures_in(truths)})
    return [
        Pair(f"{name}/{stem}", images / f"{stem}.jpg", truths / f"{stem}.png")
        for stem in stems or ["00000"]
    ]


def open_sequences(folder: Path, year: int, split: str) -> SceneDataSet:
    """Frames without any object, which the camera lost, are no samples."""
    pairs = tuple(frames(folder, year, split))
    alone = (folder / "ImageSets" / "480p").is_dir()  # DAVIS 2016 by itself
    return SceneDataSet(LabelFiles(pairs, read_merged if alone else read_2017))


def sequence_gaps(folder: Path, year: int, split: str) -> list[str]:
    listed = split_file(folder, year, split)
    if not listed.is_file():
        return file_gaps([listed])
    pairs = frames(folder, year, split)
    return file_gaps(path for pair in pairs for path in (pair.image, pair.labels))


def sample_entry(title: str, folder: str, licence: str, published: str) -> DataSetEntry:
    return DataSetEntry(
        title,
        RELEASES,
        licence,
        SAMPLE.format(folder=folder),
        (folder,),
        open_sample,
        sample_gaps,
        published,
    )


def sequences_entry(year: int, split: str, published: str) -> DataSetEntry:
    also = "; or 480p/, pairs of files" if year == 2016 else ""
    return DataSetEntry(
        f"DAVIS {year}: whole sequences, {split}, objects merged",
        f"https://davischallenge.org/davis{year}/code.html",
        "as stated on its site, for research",
        SEQUENCES.format(year=year, split=split, also=also),
        ("DAVIS",),
        partial(open_sequences, year=year, split=split),
        partial(sequence_gaps, year=year, split=split),
        published,
    )


ENTRIES = {
    "davis": sample_entry(
        "DAVIS: a tenth of the frames of 2016, drawn by f-BRS",
        "DAVIS",
        "as stated on the site of DAVIS, for research",
        "345 objects in 345 images",
    ),
    "davis-2016/val": sequences_entry(2016, "val", "20 sequences"),
    "davis-2016/trainval": sequences_entry(2016, "trainval", "50 sequences"),
    "davis-2017/val": sequences_entry(2017, "val", "30 sequences"),
    "coco-mval": sample_entry(
        "COCO_MVal: ten objects of each category of COCO, drawn by f-BRS",
        "COCO_MVal",
        "annotations CC BY 4.0; pictures as Flickr's users allow",
        "800 objects in 800 images",
    ),
}
