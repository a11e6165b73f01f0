"""How images are varied in training, and the recipe of a data set."""

import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.datasets.recipe import Recipe
from kakure.model.datasets.table import DATASETS

__all__ = ["Recipe", "augment", "recipe_for"]


def recipe_for(dataset: str) -> Recipe:
    """The recipe of a data set; images of unknown kind are not varied."""
    return DATASETS[dataset].recipe if dataset in DATASETS else Recipe()


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Randomly shift, turn, zoom, bend and mirror 8-bit images (n, c, h, w).

    All random numbers come from the CPU, so that every device sees the same ones.
    """
    n, _, height, width = images.shape

    def spread(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) * 2 - 1

    if not (recipe.shift or recipe.rotate or recipe.zoom or recipe.bend or recipe.mirror):
        return images
    angle = spread(n) * recipe.rotate * torch.pi / 180
    size = 1 + spread(n) * recipe.zoom
    side = torch.where((spread(n) < 0) & recipe.mirror, -1.0, 1.0)
    pixel = torch.tensor([2 / width, 2 / height])
    move = spread(n, 2) * recipe.shift * pixel
    turn = torch.stack([angle.cos() * side, -angle.sin(), angle.sin() * side, angle.cos()], 1)
    theta = torch.cat([(turn * size[:, None]).view(n, 2, 2), move[:, :, None]], 2)  # (n, 2, 3)
    grid = functional.affine_grid(theta.to(images.device), [n, 1, height, width], False)
    if recipe.bend:
        bend = spread(n, 2, 3, 3) * (recipe.bend * pixel).view(1, 2, 1, 1)
        smooth = functional.interpolate(bend.to(images.device), (height, width), mode="bicubic")
        grid = grid + smooth.permute(0, 2, 3, 1)  # (n, h, w, 2)
    varied = functional.grid_sample(images.float(), grid, align_corners=False)
    return varied.round().clamp(0, 255).to(torch.uint8)
