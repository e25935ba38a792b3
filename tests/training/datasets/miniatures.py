"""Every data set, two images large, in the folders and formats that it comes in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from scipy.io import savemat

from napari_iseg.arrays import Box
from napari_iseg.click_log import ClickLog, LoggedObject, RunLengths, write_log
from napari_iseg.clicks import Clicks
from tests.training.datasets.drawing import (
    GRID,
    Miniature,
    box,
    grey,
    labels,
    nothing,
    photograph,
    void,
    write,
    write_palette,
    write_text,
)
from training.datasets import DATASETS
from training.datasets.cells import ENTRIES as CELLS
from training.datasets.kitti import MASKS as CAR_MASKS
from training.sources import CELL_SETS

Writer = Callable[[Path], Miniature]


def named(names: Iterable[str], *wanted: int) -> dict[str, Any]:
    """The drawn objects of images."""
    return {f"{name}/{label}": box(label) for name in names for label in wanted}


def band(label: int) -> Any:
    """A mask of three levels with its ignored band."""
    return np.where(void(), 128, 255 * box(label)).astype(np.uint8)


def binary(label: int) -> Any:
    return (255 * box(label)).astype(np.uint8)


def plain_folder(folder: Path, names: Iterable[str] = ("one", "two")) -> Miniature:
    drawn = labels(1, 2, ignored=65535)
    drawn[0, :3] = 3  # a speck is no sample
    for seed, name in enumerate(names):
        write(folder / "images" / f"{name}.png", photograph(seed))
        write(folder / "labels" / f"{name}.png", drawn)
    return Miniature(named(names, 1, 2), void())


def cells(root: Path, name: str) -> Miniature:
    """Of a training set, each how-many-th image in a row is held out."""
    folder = DATASETS[name].folders[0]
    if not (folder.endswith("/train") and name.endswith("/val")):
        return plain_folder(root / folder)
    every = CELL_SETS[Path(folder).parent.name][1]
    names = [f"field{i:02d}" for i in range(2 * every)]
    plain_folder(root / folder, names)
    kept = names[every - 1 :: every]
    return Miniature(named(kept, 1, 2), void(), photograph(every - 1))


def grabcut(root: Path) -> Miniature:
    for name in ("banana", "sheep"):
        write(root / "GrabCut/data_GT" / f"{name}.jpg", photograph())
        write(root / "GrabCut/boundary_GT" / f"{name}.bmp", band(1))
    return Miniature(named(("banana", "sheep"), 1), void(), exact=False)


def grabcut_relabelled(root: Path) -> Miniature:
    for name in ("banana", "sheep"):
        write(root / "bench/grabcut/images" / f"{name}.jpg", photograph())
        write(root / "bench/grabcut/labels" / f"{name}.png", labels(1, ignored=65535))
    return Miniature(named(("banana", "sheep"), 1), void(), exact=False)


def berkeley(root: Path) -> Miniature:
    for name in ("3096", "86016"):
        write(root / "Berkeley/images" / f"{name}.jpg", photograph())
    write(root / "Berkeley/masks/3096.png", binary(1))
    write(root / "Berkeley/masks/86016#1.png", binary(1))
    write(root / "Berkeley/masks/86016#2.png", binary(2))
    truths = {**named(["3096"], 1), **named(["86016"], 1, 2)}
    return Miniature(truths, exact=False, unnoticed=("#1.png", "#2.png"))


def berkeley_with_copies(root: Path) -> Miniature:
    for name, label in (("3096", 1), ("86016#1", 1), ("86016#2", 2)):
        write(root / "Berkeley/images" / f"{name}.jpg", photograph())
        write(root / "Berkeley/masks" / f"{name}.png", binary(label))
    truths = {**named(["3096"], 1), **named(["86016"], 1, 2)}
    return Miniature(truths, exact=False)


def frames(root: Path, folder: str) -> Miniature:
    for name in ("bear_00010", "goat_00020"):
        write(root / folder / "img" / f"{name}.jpg", photograph())
        coloured = np.zeros((*GRID, 3), np.uint8)
        coloured[box(1)], coloured[box(2)] = (128, 0, 0), (0, 128, 0)
        write(root / folder / "gt" / f"{name}.png", coloured)
    both = box(1) | box(2)
    return Miniature({"bear_00010/1": both, "goat_00020/1": both}, exact=False)


def davis_2016(root: Path, split: str) -> Miniature:
    """DAVIS 2016 by itself: lists of pairs of files, masks of black and white."""
    lines = []
    for name in ("bear/00000", "goat/00000"):
        image, truth = f"JPEGImages/480p/{name}.jpg", f"Annotations/480p/{name}.png"
        write(root / "DAVIS" / image, photograph())
        write(root / "DAVIS" / truth, binary(1))
        lines.append(f"/{image} /{truth}")
    write_text(root / "DAVIS/ImageSets/480p" / f"{split}.txt", lines)
    return Miniature(named(("bear/00000", "goat/00000"), 1), exact=False)


def davis_2017(root: Path, year: int, split: str) -> Miniature:
    """The release of 2017: lists of sequences, palettes, and a frame without object."""
    for name in ("bear/00000", "goat/00000", "goat/00001"):
        write(root / "DAVIS/JPEGImages/480p" / f"{name}.jpg", photograph())
        drawn = labels(1, 2, ignored=255) if name != "goat/00001" else labels()
        write_palette(root / "DAVIS/Annotations/480p" / f"{name}.png", drawn)
    listed = root / "DAVIS/ImageSets" / str(year) / f"{split}.txt"
    write_text(listed, ["bear", "goat"])
    both = box(1) | box(2)
    truths = {"bear/00000/1": both, "goat/00000/1": both}
    return Miniature(truths, void(), exact=False)


def davis585(root: Path, kind: str) -> Miniature:
    """Two objects in one frame, with other masks to start from."""
    for frame, wanted in (("bear/00009", (1, 2)), ("goat/00010", (1,))):
        place, number = root / "DAVIS585" / frame[:4], frame[5:]
        write(place / f"{number}.jpg", photograph())
        for label in wanted:
            name = f"object{label}_{number}.png"
            write(place / name, binary(label))
            write(place / f"init_sp_{name}", binary(1))
            write(place / f"init_stm_{name}", binary(2))
    truths = {
        "bear/00009/object1": box(1),
        "bear/00009/object2": box(2),
        "goat/00010/object1": box(1),
    }
    other = "init_stm_" if kind == "sp" else "init_sp_"
    names = ("object1_00009.png", "object2_00009.png", "object1_00010.png")
    return Miniature(
        truths, exact=False, unnoticed=tuple(other + name for name in names)
    )


def sbd(root: Path, split: str) -> Miniature:
    folder = root / "benchmark_RELEASE/dataset"
    names = ("2008_000001", "2008_000002")
    for name in names:
        write(folder / "img" / f"{name}.jpg", photograph())
        (folder / "inst").mkdir(exist_ok=True)
        content = {
            "Segmentation": labels(1, 2).astype(np.uint8),
            "Categories": [[3], [9]],
        }
        savemat(folder / "inst" / f"{name}.mat", {"GTinst": content})
    write_text(folder / f"{split}.txt", names)
    return Miniature(named(names, 1, 2), exact=False)


def voc(root: Path, split: str = "val") -> Miniature:
    folder, names = root / "VOCdevkit/VOC2012", ("2007_000033", "2007_000042")
    for name in names:
        write(folder / "JPEGImages" / f"{name}.jpg", photograph())
        drawn = labels(1, 2, ignored=255)
        write_palette(folder / "SegmentationObject" / f"{name}.png", drawn)
    write_text(folder / f"ImageSets/Segmentation/{split}.txt", names)
    return Miniature(named(names, 1, 2), void(), exact=False)


def voc_subset(root: Path) -> Miniature:
    folder = root / "natural/voc_subset"
    for name, label in (("2007_000033", 1), ("2007_000042", 2)):
        write(folder / "images" / f"{name}.jpg", photograph())
        write(folder / "masks" / f"{name}_{label}.png", binary(label))
    truths = {**named(["2007_000033"], 1), **named(["2007_000042"], 2)}
    return Miniature(truths, exact=False, unnoticed=("_1.png", "_2.png"))


# COCO and LIVECell

CAR, ZEBRA = 3, 24


def polygon(label: int) -> list[list[float]]:
    """A drawn box as one polygon: column, row, column, row, ..."""
    rows, columns = np.nonzero(box(label))
    top, left = float(rows.min()), float(columns.min())
    bottom, right = float(rows.max()) + 1, float(columns.max()) + 1
    return [[left, top, right, top, right, bottom, left, bottom]]


def runs(mask: Any) -> dict[str, Any]:
    """Run lengths down the columns, background first."""
    flat = mask.ravel(order="F").astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]])))
    return {"size": list(GRID), "counts": np.diff([0, *edges]).tolist()}


def outline(
    number: int, image: int, category: int, segmentation: Any
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "area": 80.0,
        "iscrowd": 0,
    }


def annotations(names: Iterable[str]) -> dict[str, Any]:
    """A car as polygon and a zebra as run lengths in each image, and a crowd."""
    images, found = [], []
    for k, name in enumerate(names, start=1):
        height, width = GRID
        images.append({"id": k, "file_name": name, "height": height, "width": width})
        found.append(outline(10 * k + 1, k, CAR, polygon(1)))
        found.append(outline(10 * k + 2, k, ZEBRA, runs(box(2))))
        found.append({**outline(10 * k + 3, k, CAR, runs(void())), "iscrowd": 1})
        speck = {
            **outline(10 * k + 4, k, CAR, [[2, 2, 2.1, 2, 2.1, 2.1]]),
            "area": 0.01,
        }
        found.append(speck)  # between the pixels: no sample
    kinds = [{"id": CAR, "name": "car"}, {"id": ZEBRA, "name": "zebra"}]
    return {"images": images, "annotations": found, "categories": kinds}


def coco(root: Path, seen: bool = True, unseen: bool = True) -> Miniature:
    names = ["000000000139", "000000000285"]
    for name in names:
        write(root / "coco/val2017" / f"{name}.jpg", photograph())
    place = root / "coco/annotations/instances_val2017.json"
    write_text(place, [json.dumps(annotations(f"{name}.jpg" for name in names))])
    truths = {}
    for k, name in enumerate(names, start=1):
        truths.update({f"{name}/{10 * k + 1}": box(1)} if seen else {})
        truths.update({f"{name}/{10 * k + 2}": box(2)} if unseen else {})
    return Miniature(truths, void(), exact=False)


def livecell(root: Path, split: str) -> Miniature:
    folder = root / "LIVECell_dataset_2021"
    part = "test" if split == "test" else "train_val"
    names = ["A172_Phase_A7_1_00d00h00m_1", "BV2_Phase_A4_1_00d00h00m_1"]
    places = [folder / "images" / f"livecell_{part}_images" / f"{n}.tif" for n in names]
    places[1] = places[1].parent / "BV2" / places[1].name  # as in older archives
    for path in places:
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, photograph()[..., 0], compression="lzw")
    content = annotations(f"{name}.tif" for name in names)
    place = folder / "annotations/LIVECell" / f"livecell_coco_{split}.json"
    write_text(place, [json.dumps(content)])
    truths = {}
    for k, name in enumerate(names, start=1):
        truths.update({f"{name}/{10 * k + 1}": box(1), f"{name}/{10 * k + 2}": box(2)})
    return Miniature(truths, void(), photograph()[..., 0])


# Streets and salient objects


def kitti_cars(root: Path) -> Miniature:
    folder = root / "KITTI/object"
    for name, label in (("000010:1", 1), ("000010:2", 2), ("000011_1", 1)):
        write(folder / "image_2" / f"{name[:6]}.png", photograph())
        write(folder / CAR_MASKS / f"{name}.png", binary(label))
    truths = {**named(["000010"], 1, 2), **named(["000011"], 1)}
    return Miniature(truths, unnoticed=(":1.png", ":2.png", "_1.png"))


def kitti_instances(root: Path) -> Miniature:
    """Cars 1 and 2, a person, and a car that nobody told apart."""
    folder, names = root / "data_semantics/training", ("000000_10", "000001_10")
    drawn = np.where(labels(1, 2) > 0, 26 * 256 + labels(1, 2), 0).astype(np.uint16)
    drawn[0, :9], drawn[void()] = 24 * 256 + 1, 26 * 256
    for name in names:
        write(folder / "image_2" / f"{name}.png", photograph())
        write(folder / "instance" / f"{name}.png", drawn)
    return Miniature(named(names, 1, 2), void())


def saliency(root: Path, images: str, masks: str) -> Miniature:
    for name in ("0001", "0002"):
        write(root / images / f"{name}.jpg", photograph())
        soft = np.where(box(1), 250, 3).astype(np.uint8)  # as if it had been a JPEG
        write(root / masks / f"{name}.png", soft)
    return Miniature(named(("0001", "0002"), 1), exact=False)


# Cells


def cell_tracking(root: Path, name: str, kind: str) -> Miniature:
    for sequence in ("01", "02"):
        for frame in ("000", "001"):  # only the first frame is segmented
            write(root / name / sequence / f"t{frame}.tif", grey())
        truth = root / name / f"{sequence}_{kind}" / "SEG" / "man_seg000.tif"
        write(truth, labels(1, 2))
    truths = named(("01/t000", "02/t000"), 1, 2)
    return Miniature(truths, image=grey(), unnoticed=("t001.tif", "man_seg000.tif"))


def bowl(root: Path) -> Miniature:
    truths = {}
    for name, label in (("00ae65", 1), ("01d44a", 2)):
        clear = np.full((*GRID, 1), 255, np.uint8)
        picture = np.concatenate([photograph()[..., ::-1], clear], axis=2)
        write(
            root / "stage1_train" / name / "images" / f"{name}.png", picture[..., ::-1]
        )
        write(
            root / "stage1_train" / name / "masks" / f"nucleus{label}.png",
            binary(label),
        )
        truths[f"{name}/nucleus{label}"] = box(label)
    return Miniature(truths, unnoticed=("nucleus1.png", "nucleus2.png"))


def u2os(root: Path, split: str) -> Miniature:
    names = ("IXMtest_A02_s1", "IXMtest_A02_s2")
    coloured = np.zeros((*GRID, 4), np.uint8)
    coloured[box(1) | box(2), 0] = 1  # the colour comes again: they do not touch
    for name in names:
        write(root / "BBBC039/images" / f"{name}.tif", grey())
        write(
            root / "BBBC039/masks" / f"{name}.png", coloured[..., [3, 0, 1, 2]][..., 1:]
        )
    listed = root / "BBBC039/metadata" / f"{split}.txt"
    write_text(listed, [f"{name}.png" for name in names])
    return Miniature(named(names, 1, 2), image=grey())


def click_log(root: Path) -> Miniature:
    """A log that names its image's layer, and one that names its file."""
    whole, corner = Box(0, 0, *GRID), Box(0, 0, 20, 20)
    root.mkdir(exist_ok=True)
    for name, image in (("monday", "cells"), ("tuesday", "others.png")):
        accepted = [
            LoggedObject(1, Clicks.at([(6, 7)]), mask=RunLengths.of(whole, box(1))),
            LoggedObject(
                2,
                Clicks.at([(25, 30)]),
                mask=RunLengths.of(whole, box(2)),
                prior=RunLengths.of(corner, box(1)[:20, :20]),
            ),
            LoggedObject(3, Clicks.at([(1, 1)])),  # logged without its mask
        ]
        log = ClickLog(GRID, tuple(accepted), image=image)
        write_log(root / f"{name}.iseg.json", log)
        write(root / f"{Path(image).stem}.png", photograph())
    return Miniature(named(("monday", "tuesday"), 1, 2), unnoticed=(".iseg.json",))


def cell_tracking_name(name: str) -> tuple[str, str]:
    parts = name.split("/")
    return parts[1], "ST" if parts[-1] == "silver" else "GT"


MINIATURES: dict[str, list[Writer]] = {
    **{name: [partial(cells, name=name)] for name in CELLS},
    "folder": [plain_folder],
    "click-log": [click_log],
    "grabcut": [grabcut, grabcut_relabelled],
    "berkeley": [berkeley, berkeley_with_copies],
    "davis": [partial(frames, folder="DAVIS")],
    "coco-mval": [partial(frames, folder="COCO_MVal")],
    "davis-2016/val": [
        partial(davis_2016, split="val"),
        partial(davis_2017, year=2016, split="val"),
    ],
    "davis-2016/trainval": [partial(davis_2016, split="trainval")],
    "davis-2017/val": [partial(davis_2017, year=2017, split="val")],
    "davis-585": [partial(davis585, kind="sp")],
    "davis-585/tracked": [partial(davis585, kind="stm")],
    "sbd": [partial(sbd, split="val")],
    "sbd/train": [partial(sbd, split="train")],
    "voc2012": [voc],
    "voc2012/train": [partial(voc, split="train")],
    "voc-subset": [voc_subset],
    "coco": [coco],
    "coco/10-per-category": [coco],
    "coco/20-per-category": [coco],
    "coco/seen": [partial(coco, unseen=False)],
    "coco/unseen": [partial(coco, seen=False)],
    **{
        f"livecell/{split}": [partial(livecell, split=split)]
        for split in ("train", "val", "test")
    },
    "kitti-cars": [kitti_cars],
    "kitti-instances": [kitti_instances],
    "ecssd": [
        partial(saliency, images="ECSSD/images", masks="ECSSD/ground_truth_mask")
    ],
    "dut-omron": [
        partial(
            saliency,
            images="DUT-OMRON/DUT-OMRON-image/DUT-OMRON-image",
            masks="DUT-OMRON/pixelwiseGT-new-PNG",
        )
    ],
    "msra10k": [
        partial(saliency, images="MSRA10K_Imgs_GT/Imgs", masks="MSRA10K_Imgs_GT/Imgs")
    ],
    **{
        name: [
            partial(
                cell_tracking,
                name=cell_tracking_name(name)[0],
                kind=cell_tracking_name(name)[1],
            )
        ]
        for name in DATASETS
        if name.startswith("ctc/")
    },
    "bbbc038": [bowl],
    **{
        f"bbbc039/{split}": [partial(u2os, split=split)]
        for split in ("training", "validation", "test")
    },
}

__all__ = ["MINIATURES", "Miniature", "Writer", "nothing"]
