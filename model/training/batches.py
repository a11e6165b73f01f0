"""The batches of an epoch: all images in a new order, each varied as the recipe says."""

from collections.abc import Iterator

import torch
from torch import Tensor

from kakure.model.datasets.recipe import Recipe

from .augment import augment

__all__ = ["batches", "mirrored", "steps"]


def steps(count: int, recipe: Recipe) -> int:
    """Batches of an epoch of ``count`` images; a last one that is not full is left out."""
    return max(1, count // recipe.batch_size)


def mirrored(count: int, epoch: int, recipe: Recipe, *, seed: int) -> Tensor | None:
    """Which images are mirrored in an epoch, (count,): half of them, and the others in the next.

    None where the recipe does not mirror, or does so by lot.
    """
    if not (recipe.mirror and recipe.crop):
        return None
    draws = torch.Generator().manual_seed(seed)
    halves = torch.rand(count, generator=draws) < 0.5
    return halves if epoch % 2 else ~halves


def batches(
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    turned: Tensor | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Varied images and their labels, batch after batch.

    Parameters
    ----------
    images : uint8 tensor, (n, channels, height, width)
    labels : int64 tensor, (n,)
    recipe : Recipe
    generator : torch.Generator
        Draws the order and the variations.
    turned : bool tensor, (n,), optional
        Which images are mirrored; drawn where left out.
    """
    order = torch.randperm(len(labels), generator=generator).to(labels.device)
    for step in range(steps(len(labels), recipe)):
        index = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
        chosen = None if turned is None else turned[index]
        yield augment(images[index], recipe, generator, turned=chosen), labels[index]
