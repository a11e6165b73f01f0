"""How images are varied in training."""

import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.datasets.recipe import Recipe

__all__ = ["augment", "crop_and_mirror"]

GREY = 128
"""What a cutout leaves."""


def augment(
    images: Tensor, recipe: Recipe, generator: torch.Generator, *, turned: Tensor | None = None
) -> Tensor:
    """Randomly shift, turn, zoom, bend, crop and mirror 8-bit images (n, c, h, w).

    All random numbers come from the CPU, so that every device sees the same ones.

    Parameters
    ----------
    turned : Tensor of bool, (n,), optional
        With ``recipe.crop``: which images are mirrored.
    """
    if recipe.crop or recipe.cutout:
        images = crop_and_mirror(images, recipe, generator, turned)
    bent = recipe.shift or recipe.rotate or recipe.zoom or recipe.bend
    if bent or (recipe.mirror and not recipe.crop):
        return _bend(images, recipe, generator)
    return images


def _bend(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    n, _, height, width = images.shape

    def spread(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) * 2 - 1

    angle = spread(n) * recipe.rotate * torch.pi / 180
    size = 1 + spread(n) * recipe.zoom
    side = torch.where((spread(n) < 0) & (recipe.mirror and not recipe.crop), -1.0, 1.0)
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


def crop_and_mirror(
    images: Tensor, recipe: Recipe, generator: torch.Generator, turned: Tensor | None
) -> Tensor:
    """Move by whole pixels, mirror where ``turned``, and cut a square out; pixels stay as they are.

    What comes in at an edge is the image mirrored there.
    """
    n, _, height, width = images.shape
    device = images.device
    if recipe.crop:
        edge = recipe.crop
        moved = torch.randint(0, 2 * edge + 1, (2, n), generator=generator).to(device)
        rows = _mirrored(torch.arange(height, device=device) + moved[0, :, None] - edge, height)
        columns = _mirrored(torch.arange(width, device=device) + moved[1, :, None] - edge, width)
        if turned is not None:
            columns = torch.where(turned.to(device)[:, None], columns.flip(1), columns)
        which = torch.arange(n, device=device)[:, None, None]
        pixels = images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
        images = pixels.permute(0, 3, 1, 2)
    if recipe.cutout:
        side = recipe.cutout
        corner = [
            torch.randint(-side // 2, size - side // 2, (n, 1), generator=generator).to(device)
            for size in (height, width)
        ]
        inside = [
            (torch.arange(size, device=device) >= first)
            & (torch.arange(size, device=device) < first + side)
            for size, first in zip((height, width), corner, strict=True)
        ]
        hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        images = torch.where(hole, torch.full_like(images[:1, :1, :1, :1], GREY), images)
    return images


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Indices beyond an edge, mirrored there; the edge itself is not repeated."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index).clamp_(0, size - 1)
