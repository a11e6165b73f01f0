"""What is trained of each kind of weights."""

from collections.abc import Callable

import torch

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.config.weights.sign_weights import SignWeights
from kakure.model.datasets.recipe import RIVALS, Recipe
from kakure.model.errors import UserError

from .masks import AgreeingWeights, MaskedWeights, RivalWeights
from .planes import BitwisePlanes
from .trained_weights import TrainedWeights

__all__ = ["TRAINED_WEIGHTS", "check_training", "trained_weights"]


def masked_weights(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The masks of a layer over its fixed signs, with its first scores."""
    weights = config.weights
    assert isinstance(weights, SignWeights)
    signs = torch.from_numpy(weights.signs(geometry))
    kept, *inner = weights.kept_by_coat(signs.numel())
    counts = {"kept": kept, "inner": tuple(inner)}
    if recipe.method == "agreeing":
        return AgreeingWeights(geometry, signs, **counts, generator=generator)
    normal = recipe.method == "biprop"
    return MaskedWeights(geometry, signs, **counts, generator=generator, normal=normal)


def bitwise_weights(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The planes of a layer."""
    weights = config.weights_of(geometry.index)
    assert isinstance(weights, BitwiseWeights)
    # Muon's rate is of the numbers' size; with SGD a layer learns by the rate over their norm.
    deviation = 1.0 if recipe.optimizer == "muon" else geometry.fan_in**-0.5
    return BitwisePlanes(geometry, bits=weights.bits, generator=generator, deviation=deviation)


Made = Callable[[Config, LayerGeometry, Recipe, torch.Generator], TrainedWeights]

TRAINED_WEIGHTS: dict[str, Made] = {
    "hidden": masked_weights,
    "multicoat": masked_weights,
    "bitwise": bitwise_weights,
}
"""By kind."""


def check_training(config: Config) -> None:
    """See that weights of the configuration's kind are trained; UserError if not."""
    if config.weights.kind not in TRAINED_WEIGHTS:
        kinds = " or ".join(map(repr, TRAINED_WEIGHTS))
        raise UserError(
            f"must be {kinds} to train", where=("weights", "kind"), value=repr(config.weights.kind)
        )


def trained_weights(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The weights of a layer as they are before training; ``generator`` draws them.

    Raises
    ------
    UserError
        If weights of the configuration's kind are not trained.
    """
    if recipe.method in RIVALS:
        is_binary = recipe.method == "binary"
        return RivalWeights(geometry, is_binary=is_binary, generator=generator)
    check_training(config)
    return TRAINED_WEIGHTS[config.weights.kind](config, geometry, recipe, generator)
