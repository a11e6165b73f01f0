"""What is trained of each kind of weights."""

from collections.abc import Callable

import torch

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.sign_weights import SignWeights
from kakure.model.datasets.recipe import RIVALS, Recipe

from .masks import AgreeingWeights, MaskedWeights, RivalWeights, TrainedWeights

__all__ = ["TRAINED_WEIGHTS", "trained_weights"]


def masked_weights(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The masks of a layer over its fixed signs, with its first scores."""
    weights = config.weights
    assert isinstance(weights, SignWeights)
    signs = torch.from_numpy(weights.signs(geometry))
    kept, *inner = weights.kept_by_coat(signs.numel())
    counts = {"kept": kept, "inner": tuple(inner)}
    if recipe.method in RIVALS:
        is_binary = recipe.method == "binary"
        return RivalWeights(geometry, signs, is_binary=is_binary, generator=generator)
    if recipe.method == "agreeing":
        return AgreeingWeights(geometry, signs, **counts, generator=generator)
    normal = recipe.method == "biprop"
    return MaskedWeights(geometry, signs, **counts, generator=generator, normal=normal)


Made = Callable[[Config, LayerGeometry, Recipe, torch.Generator], TrainedWeights]

TRAINED_WEIGHTS: dict[str, Made] = {
    "hidden": masked_weights,
    "multicoat": masked_weights,
}
"""By kind."""


def trained_weights(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The weights of a layer as they are before training; ``generator`` draws them.

    Raises
    ------
    UserError
        If weights of the configuration's kind are not trained.
    """
    config.weights.check_training()
    return TRAINED_WEIGHTS[config.weights.kind](config, geometry, recipe, generator)
