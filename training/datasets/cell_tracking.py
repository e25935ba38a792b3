"""Cell Tracking Challenge: frames of time-lapses with segmented cells."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import file_gaps, folder_gap
from training.datasets.label_files import LabelFiles, Pair
from training.datasets.pictures import pictures_in, read_labels
from training.datasets.scenes import SceneDataSet

LAYOUT = """\
{name}/01/t000.tif                   frames; 02/ is the second sequence
{name}/01_{kind}/SEG/man_seg000.tif   16 bits: 0 or the cell; not every frame has one
"""
SEQUENCES = ("01", "02")
SEGMENTED = re.compile(r"man_seg(\d+)$")
# of two dimensions; those of the second list have silver truth, made of many programs
GOLD = {
    "BF-C2DL-HSC": "hematopoietic stem cells, bright field",
    "BF-C2DL-MuSC": "muscle stem cells, bright field",
    "DIC-C2DH-HeLa": "HeLa cells, differential interference contrast",
    "Fluo-C2DL-Huh7": "hepatocarcinoma cells, fluorescence",
    "Fluo-C2DL-MSC": "mesenchymal stem cells, fluorescence",
    "Fluo-N2DH-GOWT1": "nuclei of stem cells, fluorescence",
    "Fluo-N2DH-SIM+": "simulated nuclei, fluorescence",
    "Fluo-N2DL-HeLa": "nuclei of HeLa cells, fluorescence",
    "PhC-C2DH-U373": "glioblastoma cells, phase contrast",
    "PhC-C2DL-PSC": "pancreatic stem cells, phase contrast",
}
SILVER = [name for name in GOLD if name not in ("Fluo-C2DL-Huh7", "Fluo-N2DH-SIM+")]


def pairs(folder: Path, kind: str) -> list[Pair]:
    """Every segmented frame of both sequences."""
    found = []
    for sequence in SEQUENCES:
        for path in pictures_in(folder / f"{sequence}_{kind}" / "SEG", (".tif",)):
            number = SEGMENTED.match(path.stem)
            if number:
                frame = f"t{number[1]}"
                image = folder / sequence / f"{frame}.tif"
                found.append(Pair(f"{sequence}/{frame}", image, path))
    return found


def opened(folder: Path, kind: str) -> SceneDataSet:
    return SceneDataSet(LabelFiles(tuple(pairs(folder, kind)), read_labels))


def gaps(folder: Path, kind: str) -> list[str]:
    """One sequence is enough; a segmentation without its frame is not."""
    found = pairs(folder, kind)
    if not found:
        return folder_gap(folder) or [
            f"There is no segmentation man_seg000.tif in {folder}/01_{kind}/SEG."
        ]
    return file_gaps(pair.image for pair in found)


def challenge_entry(name: str, kind: str, truth: str) -> DataSetEntry:
    return DataSetEntry(
        f"Cell Tracking Challenge: {GOLD[name]}; {truth} truth",
        "https://celltrackingchallenge.net/2d-datasets/",
        "as stated on the challenge's site",
        LAYOUT.format(name=name, kind=kind),
        (name,),
        partial(opened, kind=kind),
        partial(gaps, kind=kind),
    )


ENTRIES = {
    **{f"ctc/{name}": challenge_entry(name, "GT", "gold") for name in GOLD},
    **{f"ctc/{name}/silver": challenge_entry(name, "ST", "silver") for name in SILVER},
}
