"""Recipes by name: one Python file each, every constant of it in one frozen value.

A file has ``PRESETS``, recipes by name; the first one is meant where none is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.recipe import Recipe

RECIPES: Mapping[str, str] = {
    "cells": "training.recipes.cells",
    "brs": "training.recipes.brs",
    "fctsfn": "training.recipes.fctsfn",
    "ifcn": "training.recipes.ifcn",
    "itis": "training.recipes.itis",
    "latent-diversity": "training.recipes.latent_diversity",
    "ris-net": "training.recipes.ris_net",
    "unet-brs": "training.recipes.unet_brs",
    "fcn-brs": "training.recipes.fcn_brs",
    "dhsnet-brs": "training.recipes.dhsnet_brs",
}


def recipe_of(name: str, preset: str | None = None) -> Recipe:
    """A preset of a recipe's file; its first one if none is named.

    Raises
    ------
    ValueError
        If no recipe has that name, or it has no such preset.
    """
    presets = presets_of(name)
    chosen = preset or next(iter(presets))
    if chosen not in presets:
        near = get_close_matches(chosen, presets, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {list(presets)}"
        raise ValueError(f"'{name}' has no preset '{chosen}'; {hint}")
    return presets[chosen]


def presets_of(name: str) -> Mapping[str, Recipe]:
    """All presets of a recipe's file; ValueError if no recipe has that name."""
    if name not in RECIPES:
        raise ValueError(f"no recipe is called '{name}'; there are {list(RECIPES)}")
    found: Mapping[str, Recipe] = import_module(RECIPES[name]).PRESETS
    return found


def run_folder_of(name: str, preset: str | None = None) -> str:
    """Where a run is kept unless it is said: the name, and the preset if not first."""
    is_first = preset is None or preset == next(iter(presets_of(name)))
    return name if is_first else f"{name}-{preset}"
