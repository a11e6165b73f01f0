"""The recipe of a data set, and the images that it holds out."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.datasets.labelled import systematic
from kakure.model.datasets.recipe import Recipe
from kakure.model.datasets.table import DATASETS

__all__ = ["VALIDATION_SEED", "Recipe", "held_out", "recipe_for"]

VALIDATION_SEED = 0
"""Seed of the validation split: the same in every run, so that runs can be compared."""


def recipe_for(dataset: str) -> Recipe:
    """The recipe of a data set; images of unknown kind are not varied."""
    return DATASETS[dataset].recipe if dataset in DATASETS else Recipe()


def held_out(labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.bool_]:
    """Which training images judge and are not trained with."""
    if not recipe.validation:
        return np.zeros(len(labels), bool)
    return systematic(labels, recipe.validation, VALIDATION_SEED)
