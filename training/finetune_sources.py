"""Lesson planes from folders, click logs and training sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_iseg.arrays import Labels
from napari_iseg.click_log import read_log
from napari_iseg.image_files import read_image
from napari_iseg.intensities import ScaledImage
from napari_iseg.teaching.lesson import VOID, Example, LessonPlane
from training.datasets.click_logs import (
    image_of_log,
    logs_in,
    name_of,
    read_logged_image,
)
from training.datasets.gaps import unmatched
from training.datasets.pictures import by_stem, pictures_in, read_labels
from training.images import IGNORED, LabelledImage


def planes_in(images: Path, labels: Path) -> list[LessonPlane]:
    """Every image of a folder with the label image of the same name.

    Raises
    ------
    ValueError
        If a folder has no image, a file has no partner, or two do not match.
    """
    for folder in (images, labels):
        if not pictures_in(folder):
            raise ValueError(f"there is no image in {folder}; check the folder")
    problems = unmatched(pictures_in(images), pictures_in(labels))
    if problems:
        raise ValueError(" ".join(problems))
    named = by_stem(pictures_in(labels))
    return [
        plane_of_files(path, named[name])
        for name, path in by_stem(pictures_in(images)).items()
    ]


def plane_of_files(image: Path, labels: Path) -> LessonPlane:
    """One image with its label image; 65535 counts for nothing."""
    scaled, found = ScaledImage(read_image(image)), read_labels(labels)
    if found.shape != scaled.grid:
        raise ValueError(f"{image} is {scaled.grid}, its labels {labels} {found.shape}")
    return LessonPlane(image.stem, scaled, without_void(found))


def without_void(labels: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> Labels:
    """``IGNORED`` becomes ``VOID``."""
    found: Labels = labels.astype(np.int32)
    found[labels == IGNORED] = VOID
    return found


def planes_of_logs(paths: Sequence[Path]) -> list[LessonPlane]:
    """The accepted objects of click logs, or of every log in a folder.

    Raises
    ------
    ValueError
        If a log or its image is missing, damaged or another one.
    """
    return [plane_of_log(path) for given in paths for path in logs_in(given)]


def plane_of_log(path: Path) -> LessonPlane:
    """An object that shares pixels with a later one loses them to it."""
    log = read_log(path)
    pixels = read_logged_image(path, log, image_of_log(path, log, ()))
    labels = np.zeros(log.grid, np.int32)
    for one in log.objects:
        if one.mask is not None:
            labels[one.mask.box.slices][one.mask.mask] = one.label
    return LessonPlane(name_of(path), ScaledImage(pixels), labels)


def plane_of(image: LabelledImage) -> LessonPlane:
    """A labelled image of a training set."""
    return LessonPlane(image.name, ScaledImage(image.image), without_void(image.labels))


def annotated(examples: Sequence[Example]) -> list[Example]:
    """The same examples where nothing else was annotated: their planes hold no more."""
    labels: dict[str, Labels] = {}
    planes = {one.plane.name: one.plane for one in examples}
    for name, plane in planes.items():
        own = [one.found.label for one in examples if one.plane.name == name]
        keep = np.isin(plane.labels, [VOID, *own])
        labels[name] = np.where(keep, plane.labels, 0).astype(np.int32)
    bare = {name: replace(plane, labels=labels[name]) for name, plane in planes.items()}
    return [Example(bare[one.plane.name], one.found) for one in examples]
