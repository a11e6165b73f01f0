"""Generated images: an adversarial generator learns a few images, and makes more of them."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.datasets.labelled import LabelledImages, by_class
from kakure.model.errors import UserError

from .networks import NOISE, Critic, Generator

__all__ = ["STEPS", "generate", "learn_generator"]

STEPS = 1500
"""Of a generator's training."""

WIDTH = 32
BATCH = 32
RATE = 1e-3
AVERAGE = 0.99
"""Decay per step of the average of the generators that makes the images."""


def learn_generator(
    data: LabelledImages, *, classes: int, seed: int, steps: int = STEPS
) -> Generator:
    """A generator of images like the given ones, by class.

    Each step trains the critic once and the generator once, with the hinge loss and Adam, on the
    processor. The critic sees real and generated images moved by up to an eighth of their size, so
    that it cannot learn a few images by heart.

    Parameters
    ----------
    data : LabelledImages
    classes : int
    seed : int
        Of the first weights, the order of the images, the noise and the moves.
    steps : int, at least 1

    Raises
    ------
    UserError
        If there are fewer than two images, a label is no class, ``steps`` is below 1, or height or
        width is no multiple of 4.

    Source
    ------
    Goodfellow et al., arXiv:1406.2661. Moves on both sides: Zhao et al., arXiv:2006.10738.
    """
    if len(data) < 2:
        raise UserError("must be at least 2 for a generator", where=("images",), value=len(data))
    first, last = int(data.labels.min()), int(data.labels.max())
    if not 0 <= first <= last < classes:
        raise UserError(
            f"must be 0 to {classes - 1}", where=("labels",), value=f"{first} to {last}"
        )
    if steps < 1:
        raise UserError("must be at least 1", where=("steps",), value=steps)
    draws = torch.Generator().manual_seed(seed)
    height, width, channels = data.images.shape[1:]
    shape = (height, width, channels)
    with torch.random.fork_rng(devices=[]):  # of layers' first weights; nobody else's draws move
        torch.manual_seed(seed)
        generator = Generator(shape, classes=classes, width=WIDTH)
        critic = Critic(shape, classes=classes, width=WIDTH)
    averaged = copy.deepcopy(generator)
    adam = {"lr": RATE, "betas": (0.0, 0.9)}
    teach = torch.optim.Adam(generator.parameters(), **adam)
    judge = torch.optim.Adam(critic.parameters(), **adam)
    real = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    batches = _batches(real, torch.from_numpy(data.labels), draws)
    for _ in range(steps):
        images, labels = next(batches)
        made = generator(torch.randn(len(labels), NOISE, generator=draws), labels)
        seen = _moved(torch.cat([images, made.detach()]), draws)
        good, bad = critic(seen, labels.repeat(2)).chunk(2)
        judge.zero_grad()
        (functional.relu(1 - good) + functional.relu(1 + bad)).mean().backward()
        judge.step()
        teach.zero_grad()
        (-critic(_moved(made, draws), labels)).mean().backward()
        teach.step()
        _follow(averaged, generator)
    return averaged


def generate(generator: Generator, like: LabelledImages, count: int, seed: int) -> LabelledImages:
    """Images of a generator, with the classes in the shares that ``like`` has them in.

    Parameters
    ----------
    count : int, at least 1
    seed : int
        Of the noise.

    Raises
    ------
    UserError
        If ``count`` is below 1.
    """
    if count < 1:
        raise UserError("must be at least 1", where=("count",), value=count)
    ordered = like.labels[by_class(like.labels, seed)]
    labels = ordered[np.arange(count) * len(ordered) // count]
    draws = torch.Generator().manual_seed(seed)
    generator.eval()
    parts = []
    with torch.no_grad():
        for part in torch.from_numpy(labels).split(500):
            made = generator(torch.randn(len(part), NOISE, generator=draws), part)
            parts.append(((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
    images = torch.cat(parts).permute(0, 2, 3, 1).contiguous().numpy()
    return LabelledImages(images, labels)


def _batches(
    images: Tensor, labels: Tensor, draws: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: every image once before any comes again, but for a batch's rest."""
    size = min(BATCH, len(labels))
    while True:
        order = torch.randperm(len(labels), generator=draws)
        for index in order[: len(order) // size * size].view(-1, size):
            yield images[index], labels[index]


def _moved(images: Tensor, draws: torch.Generator) -> Tensor:
    """Images moved by whole pixels, up to an eighth of their size; what comes in is black."""
    n, _, height, width = images.shape
    most = (max(1, height // 8), max(1, width // 8))
    rows, columns = (
        torch.arange(size) + torch.randint(0, 2 * edge + 1, (n, 1), generator=draws)
        for size, edge in zip((height, width), most, strict=True)
    )  # (n, height), (n, width)
    padded = functional.pad(images, (most[1], most[1], most[0], most[0]), value=-1.0)
    which = torch.arange(n)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


@torch.no_grad()
def _follow(averaged: Generator, generator: Generator) -> None:
    """Move weights and statistics of the average towards the generator's."""
    now = generator.state_dict()
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            value.lerp_(now[name], 1 - AVERAGE)
