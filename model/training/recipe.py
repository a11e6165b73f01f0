"""How long and how a network is trained, and how its images are varied meanwhile."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["RECIPES", "Recipe", "augment", "recipe_for"]


@dataclass(frozen=True)
class Recipe:
    """Everything about a training run but its seed and its device.

    Attributes
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of SGD with Nesterov momentum 0.9; the rate falls to 0 along a cosine.
    smoothing : float
        Label smoothing.
    validation : int
        One training image of this many is held out to choose the epoch that is exported.
    shift : float
        Largest displacement to each side [pixel].
    rotate : float
        Largest rotation to each side [degree].
    zoom : float
        Largest change of size, as a fraction.
    bend : float
        Largest local displacement, smooth over a third of the image [pixel].
    mirror : bool
        Whether left and right may change places.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 1e-4
    smoothing: float = 0.0
    validation: int = 10
    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    bend: float = 0.0
    mirror: bool = False


RECIPES = {
    "digits": Recipe(
        epochs=150, batch_size=64, shift=0.6, rotate=12.0, zoom=0.1, bend=0.4, validation=7
    ),
    "fashion-mnist": Recipe(epochs=60, smoothing=0.05, shift=1.5, zoom=0.05, mirror=True),
    "cifar10": Recipe(epochs=100, weight_decay=5e-4, smoothing=0.05, shift=4.0, mirror=True),
}
"""Recipes of the data sets known by name."""


def recipe_for(dataset: str) -> Recipe:
    """The recipe of a data set; images of unknown kind are not varied."""
    return RECIPES.get(dataset, Recipe())


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
