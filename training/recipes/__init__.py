"""Recipes by name: one Python file each, every constant of it in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.recipe import Recipe

RECIPES: Mapping[str, str] = {"cells": "training.recipes.cells"}


def recipe_of(name: str) -> Recipe:
    """``RECIPE`` of the recipe's file.

    Raises
    ------
    ValueError
        If no recipe has that name.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe is called '{name}'; there are {list(RECIPES)}")
    found: Recipe = import_module(RECIPES[name]).RECIPE
    return found
