"""Accuracy of small networks of which every product in training is LAM's."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.datasets.digits import DIGITS
from kakure.model.training.lam.lam import VARIANTS, Lam
from kakure.model.training.lam.linear import lam_linear

__all__ = ["BITS", "PROBLEMS", "Problem", "accuracy", "training_table"]

BITS = (23, 7, 4, 3)
RATE = 2.0**-4
FORGOTTEN = 2.0**-3
"""Of the momentum in a step. Both are powers of two, with which LAM is exact."""
BATCH = 64


@dataclass(frozen=True)
class Problem:
    """Points and their classes, and how they are learnt.

    Attributes
    ----------
    load : callable
        Training inputs (n, values) and labels, test inputs and labels.
    hidden : int
        Width of both hidden layers.
    epochs : int
    """

    load: Callable[[], tuple[Tensor, Tensor, Tensor, Tensor]]
    hidden: int
    epochs: int


def spirals() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two spirals of one turn and a half in the plane, 1024 points to learn, 1024 to test."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 2048)
    radius = rng.uniform(0.1, 1, 2048)
    angle = 3 * np.pi * radius + np.pi * labels
    points = radius * np.stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.08, (2, 2048))
    x, y = torch.from_numpy(points.T.astype(np.float32)).contiguous(), torch.from_numpy(labels)
    return x[:1024], y[:1024], x[1024:], y[1024:]


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """scikit-learn's digits, 64 pixels from 0 to 1."""
    found = []
    for split in ("train", "test"):
        data = DIGITS.load(Path(), split)
        pixels = data.images.reshape(len(data.images), -1).astype(np.float32) / 256
        found += [torch.from_numpy(pixels), torch.from_numpy(data.labels)]
    return found[0], found[1], found[2], found[3]


PROBLEMS = {
    "two spirals": Problem(spirals, hidden=64, epochs=100),
    "digits": Problem(digits, hidden=64, epochs=30),
}


def accuracy(problem: Problem, lam: Lam | None, seed: int) -> float:
    """Share of the test points that a network of three layers gets right after its training.

    Parameters
    ----------
    lam : Lam or None
        What multiplies, in training and test; None is PyTorch in float32. The sums, the weights
        that are kept, and softmax are float32.
    """
    x, y, test_x, test_y = problem.load()
    generator = torch.Generator().manual_seed(seed)
    sizes = (x.shape[1], problem.hidden, problem.hidden, int(y.max()) + 1)
    weights = []
    for inputs, outputs in pairwise(sizes):
        drawn = torch.randn(outputs, inputs, generator=generator) * (2 / inputs) ** 0.5
        weights += [drawn.requires_grad_(), torch.zeros(outputs, requires_grad=True)]
    momenta = [torch.zeros_like(weight) for weight in weights]
    for _ in range(problem.epochs):
        order = torch.randperm(len(x), generator=generator)
        for batch in order[: len(x) // BATCH * BATCH].view(-1, BATCH):
            loss = functional.cross_entropy(_logits(x[batch], weights, lam), y[batch])
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for weight, momentum, gradient in zip(weights, momenta, gradients, strict=True):
                    momentum += gradient - FORGOTTEN * momentum
                    weight -= RATE * momentum
    with torch.no_grad():
        return float((_logits(test_x, weights, lam).argmax(1) == test_y).float().mean())


def _logits(x: Tensor, weights: list[Tensor], lam: Lam | None) -> Tensor:
    for n in range(0, len(weights), 2):
        weight, bias = weights[n], weights[n + 1]
        x = functional.relu(x) if n else x
        is_exact = lam is None
        x = functional.linear(x, weight, bias) if is_exact else lam_linear(x, weight, bias, lam)
    return x


def training_table(seeds: range, bits: tuple[int, ...] = BITS) -> str:
    """Mean accuracies over the seeds, and what LAM loses, in Markdown [%]."""
    heads = ("problem", "products", *(f"{n} bits" for n in bits))
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, problem in PROBLEMS.items():
        exact = np.mean([accuracy(problem, None, seed) for seed in seeds])
        blank = " |" * (len(bits) - 1)
        lines.append(f"| {name} | exact, float32 | {100 * exact:.2f} |{blank}")
        for variant in VARIANTS:
            cells = []
            for n in bits:
                lam = Lam.named(variant, n)
                mean = np.mean([accuracy(problem, lam, seed) for seed in seeds])
                lost = round(100 * float(mean - exact), 2) + 0.0  # no −0
                cells.append(f"{100 * mean:.2f} ({lost:+.2f})")
            lines.append(f"| {name} | LAM, {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)
