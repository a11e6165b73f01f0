"""How a network is judged: as the integers that would be exported, on images held out."""

import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.datasets.recipe import RIVALS, Recipe

from .folding import fold
from .logits import integer_logits
from .network import Network

__all__ = ["judge"]

BATCH = 500
"""Images that a network without integers works on at once."""


def judge(network: Network, recipe: Recipe, images: Tensor, labels: Tensor) -> tuple[int, float]:
    """Score of the integer model: right ones, mean cross-entropy [nat]; (0, 0.0) of no images.

    Parameters
    ----------
    network : Network
        Its scores, BatchNorms and their statistics are folded; by a method without integers, it is
        judged as it is.
    recipe : Recipe
    images : uint8 tensor, (n, channels, height, width)
    labels : int64 tensor, (n,)
    """
    if not len(labels):
        return 0, 0.0
    if recipe.method in RIVALS:
        real = _real_logits(network, images)
    else:
        parameters = fold(network)
        logits = integer_logits(network.config, parameters, images)
        real = logits / 2.0 ** int(parameters.metadata["logit_shift"])
    correct = int((real.argmax(1) == labels).sum())
    return correct, functional.cross_entropy(real, labels).item()


@torch.no_grad()
def _real_logits(network: Network, images: Tensor) -> Tensor:
    """Logits of a network without integers, in float32; (n, classes)."""
    network = network.eval()
    dtype = network.layers[0].dtype
    network.compute_in(torch.float32)
    logits = torch.cat([network(part) for part in images.split(BATCH)])
    network.compute_in(dtype)
    return logits
