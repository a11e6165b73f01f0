"""What is trained of each kind of weights."""

from collections.abc import Callable

import torch

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.hidden import HiddenWeights

from .layers import MaskedWeights

__all__ = ["TRAINED_WEIGHTS", "trained_weights"]


def masked_weights(
    config: Config, geometry: LayerGeometry, generator: torch.Generator
) -> MaskedWeights:
    """The supermask of a layer over its fixed signs, with its first scores."""
    hidden = HiddenWeights.of(config.weights)
    signs = hidden.signs(geometry)
    return MaskedWeights(torch.from_numpy(signs), kept=hidden.kept(signs.size), generator=generator)


TRAINED_WEIGHTS: dict[str, Callable[[Config, LayerGeometry, torch.Generator], MaskedWeights]] = {
    "hidden": masked_weights,
}
"""By kind."""


def trained_weights(
    config: Config, geometry: LayerGeometry, generator: torch.Generator
) -> MaskedWeights:
    """The weights of a layer as they are before training; ``generator`` draws them.

    Raises
    ------
    UserError
        If weights of the configuration's kind are not trained.
    """
    config.weights.check_training()
    return TRAINED_WEIGHTS[config.weights.kind](config, geometry, generator)
