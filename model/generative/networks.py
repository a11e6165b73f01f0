"""The two networks of a generator's training: one makes images of a class, one judges them."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from kakure.model.errors import UserError

__all__ = ["NOISE", "Critic", "Generator"]

NOISE = 64
"""Random numbers from which an image is made."""


class Generator(nn.Module):
    """Images of a class out of noise: two convolutions, each after the map is doubled.

    Parameters
    ----------
    shape : tuple of int
        (height, width, channels); height and width are multiples of 4.
    classes, width : int
        ``width`` is the number of channels before the last convolution.

    Raises
    ------
    UserError
        If height or width is no multiple of 4.
    """

    def __init__(self, shape: tuple[int, int, int], *, classes: int, width: int) -> None:
        super().__init__()
        height, wide, channels = shape
        if height % 4 or wide % 4:
            raise UserError(
                "must have sides that are multiples of 4 for a generator",
                where=("images",),
                value=f"{height} x {wide}",
            )
        self.classes = classes
        self.start = (2 * width, height // 4, wide // 4)
        self.first = nn.Linear(NOISE + classes, 2 * width * (height // 4) * (wide // 4))
        self.grow = nn.Sequential(
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Images (n, c, h, w), −1 to 1, of noise (n, NOISE) and labels (n,)."""
        given = nn.functional.one_hot(labels, self.classes).to(noise.dtype)
        hidden = self.first(torch.cat([noise, given], 1))
        return self.grow(hidden.view(-1, *self.start))


class Critic(nn.Module):
    """How real an image of a class looks: f(x)·(w + e[class]), f of two strided convolutions.

    Every layer is divided by its largest singular value.

    Source
    ------
    Miyato et al., arXiv:1802.05957 (the division); Miyato & Koyama, arXiv:1802.05637 (the product
    with the class).
    """

    def __init__(self, shape: tuple[int, int, int], *, classes: int, width: int) -> None:
        super().__init__()
        height, wide, channels = shape
        features = 2 * width * (height // 4) * (wide // 4)
        self.shrink = nn.Sequential(
            spectral_norm(nn.Conv2d(channels, width, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
        )
        self.last = spectral_norm(nn.Linear(features, 1))
        self.of_class = spectral_norm(nn.Embedding(classes, features))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Scores (n,)."""
        found = self.shrink(images)  # (n, features)
        return self.last(found)[:, 0] + (found * self.of_class(labels)).sum(1)
