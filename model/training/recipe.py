"""The recipe of a data set."""

from kakure.model.datasets.recipe import Recipe
from kakure.model.datasets.table import DATASETS

__all__ = ["Recipe", "recipe_for"]


def recipe_for(dataset: str) -> Recipe:
    """The recipe of a data set; images of unknown kind are not varied."""
    return DATASETS[dataset].recipe if dataset in DATASETS else Recipe()
