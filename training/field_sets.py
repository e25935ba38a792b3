"""Which images a network for dense segmentation is trained and looked at on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from training.class_files import CLASS_FILES
from training.datasets import open_dataset
from training.datasets.scenes import VOID, LabelScene, SceneDataSet
from training.dense import DenseRecipe
from training.fields import CellFields, Field
from training.images import IGNORED, LabelledImage, data_root
from training.photo_fields import PhotoFields, Photos
from training.recipe import one_of
from training.sources import CELL_SETS, UNSEEN_SETS, TrainingSet, training_set


def opened_fields(
    recipe: DenseRecipe,
) -> tuple[Dataset[Field], DenseRecipe, list[str]]:
    """The samples, the recipe for so many images, and what could not be read."""
    if recipe.photographs.data:
        photos = photos_of(recipe, kept=False)
        return photo_fields(recipe, photos), recipe.sized(len(photos.names)), []
    sets = field_sets(recipe, recipe.fields.images, kept=False)
    fields = CellFields(
        sets, recipe.fields, recipe.samples, seed=recipe.seed, lost=recipe.lost
    )
    number = sum(len(one.images) for one in sets.values())
    broken = [reason for one in sets.values() for reason in one.broken]
    return fields, recipe.sized(number), broken


def photo_fields(recipe: DenseRecipe, photos: Photos) -> PhotoFields:
    cropped = recipe.fields.cropped
    return PhotoFields(photos, recipe.photographs, cropped, seed=recipe.seed)


def photos_of(recipe: DenseRecipe, *, kept: bool) -> Photos:
    """Photographs with a class for each pixel; ``kept``: those that are held out.

    Raises
    ------
    ValueError
        If the data set is not there, knows no classes, or no image is left.
    """
    name, objects = recipe.photographs.data, recipe.fields.objects
    if objects:
        data = open_dataset(name, data_root())
    else:
        data = one_of(CLASS_FILES, "photographs.data", name).open(data_root())
    assert isinstance(data, SceneDataSet)
    beginning = recipe.fields.held_out if kept else recipe.fields.images
    return Photos(data, chosen(data, name, beginning, recipe, kept=kept), objects)


def chosen(
    data: SceneDataSet, name: str, beginning: str, recipe: DenseRecipe, *, kept: bool
) -> list[str]:
    """Names of images that begin so, without those that are held out."""
    apart = recipe.fields.held_out
    names = [
        one
        for one in data.images()
        if one.startswith(beginning)
        and (kept or not apart or not one.startswith(apart))
    ]
    if not names:
        raise ValueError(f"no image of '{name}' has a name that begins {beginning!r}")
    return names


def held_out_fields(recipe: DenseRecipe) -> dict[str, TrainingSet]:
    """Images of the same sets that nothing is trained on."""
    return field_sets(recipe, recipe.fields.held_out, kept=True)


def field_sets(
    recipe: DenseRecipe, images: str, *, kept: bool
) -> dict[str, TrainingSet]:
    """The cell sets with a share, or the images of a data set whose names begin so.

    ``kept``: what is held out.

    Raises
    ------
    ValueError
        If a share names no cell set, or no image is left.
    """
    if recipe.fields.data:
        return {recipe.fields.data: named_images(recipe.fields.data, images)}
    unknown = [name for name, _ in recipe.fields.shares if name not in CELL_SETS]
    if unknown or not recipe.fields.shares:
        raise ValueError(
            f"fields.shares={recipe.fields.shares} must name some of {list(CELL_SETS)}"
        )
    found: dict[str, TrainingSet] = {}
    for name, share in recipe.fields.shares:
        every, folder = CELL_SETS[name][1], data_root() / "cells" / name
        if every or not kept:
            found[name] = training_set(folder / "train", share, every, kept=kept)
        elif f"{name}/val" in UNSEEN_SETS:
            found[name] = training_set(folder / "val", share)
    return found


def named_images(name: str, beginning: str, root: Path | None = None) -> TrainingSet:
    """The images of a data set whose names begin so, with all labels of each.

    Raises
    ------
    ValueError
        If there are none, or the data set's objects may share pixels.
    """
    data = open_dataset(name, root or data_root())
    assert isinstance(data, SceneDataSet)
    names = [one for one in data.images() if one.startswith(beginning)]
    if not names:
        raise ValueError(f"no image of '{name}' has a name that begins {beginning!r}")
    return TrainingSet([labelled(data, one) for one in names], 1.0)


def labelled(data: SceneDataSet, name: str) -> LabelledImage:
    """One image as training reads it."""
    scene = data.scene(name)
    if not isinstance(scene, LabelScene):
        raise ValueError(  # noqa: TRY004 - the data set's fault, not the type's
            f"objects of '{name}' may share pixels; a class for each pixel needs a "
            "data set of label images"
        )
    labels = np.where(scene.labels == VOID, IGNORED, scene.labels).astype(np.uint16)
    return LabelledImage(name, scene.image, labels)
