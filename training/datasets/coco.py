"""COCO's annotation files: polygons and run lengths in one JSON a split."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid, Mask
from training.datasets.data_set import DataSetEntry
from training.datasets.gaps import absent, file_gaps, folder_gap, shortened
from training.datasets.label_files import check_same_grid
from training.datasets.pictures import read_photograph
from training.datasets.scenes import MaskScene, SceneDataSet

LAYOUT = """\
coco/val2017/<image>.jpg
coco/annotations/instances_val2017.json
"""
SOURCE = "https://cocodataset.org/#download"
LICENCE = "annotations CC BY 4.0; pictures as Flickr's users allow"
SURE = 25.0  # from this area in square pixels on, an outline certainly holds a pixel
# the categories of PASCAL VOC, which RIS-Net calls seen
SEEN = frozenset(
    {
        *("airplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
        *("chair", "couch", "cow", "dining table", "dog", "horse", "motorcycle"),
        *("person", "potted plant", "sheep", "train", "tv"),
    }
)


@dataclass(frozen=True, slots=True)
class Outline:
    """An annotated object, or a crowd of them."""

    label: str
    category: int
    area: float
    is_crowd: bool
    segmentation: Any  # polygons (arrays), or run lengths as text or as numbers

    def mask(self, grid: Grid) -> Mask:
        """``(H, W)``, rasterised by COCO's own rules."""
        from pycocotools import mask as coco_mask

        runs = self.segmentation
        if isinstance(runs, list):
            lists = [np.asarray(polygon).tolist() for polygon in runs]
            runs = coco_mask.merge(coco_mask.frPyObjects(lists, *grid))
        elif isinstance(runs["counts"], list):
            runs = coco_mask.frPyObjects(runs, *grid)
        return np.asarray(coco_mask.decode(runs)).astype(bool)

    def is_there(self, grid: Grid) -> bool:
        """An outline between the pixels' centres holds none of them."""
        return self.area >= SURE or bool(self.mask(grid).any())


@dataclass(frozen=True, slots=True)
class Annotated:
    """One image of an annotation file."""

    name: str
    file_name: str
    grid: Grid
    outlines: tuple[Outline, ...]

    @property
    def objects(self) -> list[Outline]:
        """Without crowds, and without outlines that hold no pixel."""
        return [
            one for one in self.outlines if not one.is_crowd and one.is_there(self.grid)
        ]


@dataclass(frozen=True, slots=True)
class Annotations:
    images: Mapping[str, Annotated]
    categories: Mapping[int, str]


def read_annotations(path: Path) -> Annotations:
    """The content of an annotation file, remembered until it changes.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _parsed(path: Path, _changed: int) -> Annotations:
    try:
        content = json.loads(path.read_bytes())
        outlines = content["annotations"]
        if isinstance(outlines, dict):  # as in parts of LIVECell
            outlines = list(outlines.values())
        by_image: dict[int, list[Outline]] = {}
        for one in outlines:
            by_image.setdefault(one["image_id"], []).append(_outline(one))
        categories = {c["id"]: c["name"] for c in content.get("categories", [])}
        images = [_annotated(one, by_image) for one in content["images"]]
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(
            f"{path} is no annotation file of COCO's format: {problem!r}"
        ) from problem
    return Annotations({image.name: image for image in images}, categories)


def _outline(one: dict[str, Any]) -> Outline:
    shape = one["segmentation"]
    if isinstance(shape, list):  # arrays take a quarter of the room of lists
        shape = [np.array(polygon, float) for polygon in shape]
    return Outline(
        str(one["id"]),
        int(one.get("category_id", 0)),
        float(one.get("area", 0)),
        bool(one.get("iscrowd", 0)),
        shape,
    )


def _annotated(one: dict[str, Any], by_image: dict[int, list[Outline]]) -> Annotated:
    grid = int(one["height"]), int(one["width"])
    outlines = sorted(
        by_image.get(one["id"], []), key=lambda found: (len(found.label), found.label)
    )
    name = Path(one["file_name"]).stem
    return Annotated(name, one["file_name"], grid, tuple(outlines))


# Which objects are samples


Choice = Callable[[Annotations], Mapping[str, Sequence[str]]]  # image -> labels


def every_object(annotations: Annotations) -> dict[str, list[str]]:
    return {
        name: [one.label for one in image.objects]
        for name, image in annotations.images.items()
    }


def some_of_each_category(
    annotations: Annotations,
    count: int,
    kinds: Collection[str] = (),
    *,
    seen: bool = True,
) -> dict[str, list[str]]:
    """``count`` images of each category, one object of it in each, drawn with seed 0.

    Latent Diversity (section 5) draws 10; FCTSFN (section 4.1) 20; RIS-Net (section
    4.1) 10 of the seen ``kinds`` and 10 of the others. Which ones is not published:
    numbers of different draws differ.
    """
    rng = np.random.default_rng(0)
    chosen: dict[str, list[str]] = {}
    by_category: dict[int, dict[str, list[str]]] = {}
    for name, image in annotations.images.items():
        for one in image.objects:
            images = by_category.setdefault(one.category, {})
            images.setdefault(name, []).append(one.label)
    for category in sorted(by_category):
        images = by_category[category]
        names = sorted(images)
        drawn = rng.permutation(len(names))[:count]
        picks = {names[i]: images[names[i]] for i in sorted(drawn.tolist())}
        labels = {name: rng.choice(of) for name, of in picks.items()}
        if not kinds or (annotations.categories[category] in kinds) == seen:
            for name, label in labels.items():
                chosen.setdefault(name, []).append(str(label))
    return {name: chosen[name] for name in annotations.images if name in chosen}


# Reading


@dataclass(frozen=True)
class OutlineFiles:
    """Images of an annotation file; ``place`` finds the file of an image."""

    annotations: Path
    place: Callable[[str], Path]
    choice: Choice = every_object

    def images(self) -> list[str]:
        return list(read_annotations(self.annotations).images)

    def labels(self, image: str) -> Sequence[str]:
        changed = self.annotations.stat().st_mtime_ns
        return _chosen(self.annotations, changed, self.choice).get(image, ())

    def scene(self, image: str) -> MaskScene:
        """Crowds are ignored: nobody said where one of them begins."""
        found = read_annotations(self.annotations).images[image]
        path = self.place(found.file_name)
        photograph = read_photograph(path)
        ignored = np.zeros(found.grid, bool)
        check_same_grid(path, photograph, self.annotations, ignored)
        for one in found.outlines:
            if one.is_crowd:
                ignored |= one.mask(found.grid)
        masks: dict[str, Callable[[], NDArray[Any]]] = {
            one.label: partial(one.mask, found.grid)
            for one in found.outlines
            if not one.is_crowd
        }
        return MaskScene(photograph, masks, ignored)


@lru_cache(maxsize=2)
def _chosen(path: Path, _changed: int, choice: Choice) -> Mapping[str, Sequence[str]]:
    return choice(read_annotations(path))


def outline_gaps(annotations: Path, place: Callable[[str], Path]) -> list[str]:
    """Sentences about the annotation file and each image that it names."""
    if not annotations.is_file():
        return file_gaps([annotations])
    images = read_annotations(annotations).images.values()
    return file_gaps(absent(place(image.file_name) for image in images))


def in_folder(folder: Path, file_name: str) -> Path:
    return folder / Path(file_name).name


def opened(folder: Path, choice: Choice) -> SceneDataSet:
    annotations = folder / "annotations" / "instances_val2017.json"
    place = partial(in_folder, folder / "val2017")
    return SceneDataSet(OutlineFiles(annotations, place, choice))


def gaps(folder: Path) -> list[str]:
    annotations = folder / "annotations" / "instances_val2017.json"
    missing = folder_gap(folder / "val2017")
    place = partial(in_folder, folder / "val2017")
    return shortened(missing or outline_gaps(annotations, place))


def coco_entry(title: str, choice: Choice, published: str) -> DataSetEntry:
    return DataSetEntry(
        title,
        SOURCE,
        LICENCE,
        LAYOUT,
        ("coco", "COCO"),
        partial(opened, choice=choice),
        gaps,
        published,
    )


ENTRIES = {
    "coco": coco_entry("COCO: every object of val2017", every_object, "5000 images"),
    "coco/10-per-category": coco_entry(
        "COCO: ten objects of each category of val2017, our draw",
        partial(some_of_each_category, count=10),
        "800 objects (Latent Diversity's own draw)",
    ),
    "coco/20-per-category": coco_entry(
        "COCO: twenty objects of each category of val2017, our draw",
        partial(some_of_each_category, count=20),
        "1600 objects (FCTSFN's own draw)",
    ),
    "coco/seen": coco_entry(
        "COCO: ten objects of each category that is in VOC too, our draw",
        partial(some_of_each_category, count=10, kinds=SEEN),
        "200 objects (RIS-Net's own draw)",
    ),
    "coco/unseen": coco_entry(
        "COCO: ten objects of each category that is not in VOC, our draw",
        partial(some_of_each_category, count=10, kinds=SEEN, seen=False),
        "600 objects (RIS-Net's own draw)",
    ),
}
