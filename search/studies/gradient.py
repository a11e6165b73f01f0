"""Phase 1 by gradient: XPert's search as published, and one whose relaxation has a gradient.

All seeds run side by side, as one batch. A layer's nodes are its pairs (channels, option).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from kakure.search.cost.tables import FORBIDDEN, LayerTable, Tables
from kakure.search.phase1.problem import Attempt, Incumbent, Problem

from .published_cost import LATENCY_UNIT_PS

__all__ = ["PublishedLoop", "RelaxedLoop", "published_search", "relaxed_search"]


FAR = 10
"""How many times the largest area what is forbidden counts for the gradient."""


class Gate(torch.autograd.Function):
    """1 where a second softmax is largest, ties included; the gradient passes straight through."""

    @staticmethod
    def forward(ctx, prob: Tensor) -> Tensor:
        again = torch.softmax(prob, dim=-1)
        return (again == again.max(dim=-1, keepdim=True).values).to(prob.dtype)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> Tensor:
        return grads[0]


@dataclass(frozen=True)
class PublishedLoop:
    """Settings of the published search, at their published values.

    Attributes
    ----------
    steps : int
    learning_rate, momentum, weight_decay : float
        Of SGD.
    latency_weight, area_weight : float
        Error per unit of latency (1/64 ms), and per µm² squared off the target.
    spread : float
        Standard deviation of the first parameters; not published, ours.
    """

    steps: int = 2000
    learning_rate: float = 12.0
    momentum: float = 0.99
    weight_decay: float = 1e-5
    latency_weight: float = 0.01
    area_weight: float = 0.1e-6
    spread: float = 1e-3


@dataclass(frozen=True)
class RelaxedLoop:
    """Settings of the corrected search.

    Attributes
    ----------
    steps : int
    learning_rate : float
        Of Adam.
    penalty : float
        What exceeding a bound by its own size costs, in objectives of the uniform mixture.
    temperatures : (float, float)
        Of the softmax, first and last, geometric in between: the mixture ends almost one-hot.
    """

    steps: int = 2000
    learning_rate: float = 0.05
    penalty: float = 10.0
    temperatures: tuple[float, float] = (1.0, 0.05)


def draw(tables: Tables, seeds: Sequence[int], spread: float) -> list[Tensor]:
    """First parameters of every layer, normal, each seed's from its own generator."""
    sizes = [len(layer.out_channels) * len(layer.options) for layer in tables.layers]
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        rows.append([torch.randn(n, generator=generator) * spread for n in sizes])
    return [torch.stack(column).requires_grad_() for column in zip(*rows, strict=True)]


def chosen(nodes: Sequence[Tensor], tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Indices of channels and options, (runs, layers), of one node for each run and layer."""
    stack = torch.stack(list(nodes), dim=1).numpy()
    options = np.array([len(layer.options) for layer in tables.layers])
    return stack // options, stack % options


def steering_area(layer: LayerTable) -> NDArray[np.int64]:
    """Areas that a gradient can follow: the forbidden ones are far from the others, not endless."""
    is_forbidden = layer.area_um2 >= FORBIDDEN
    most = int(np.where(is_forbidden, 0, layer.area_um2).max())
    return np.where(is_forbidden, FAR * most, layer.area_um2)


def published_search(
    tables: Tables,
    problem: Problem,
    *,
    seeds: Sequence[int],
    loop: PublishedLoop | None = None,
    progress: bool = False,
) -> list[Attempt]:
    """XPert's search: the error of the chosen nodes alone, through a gate that hides the choice.

    ``gate = [softmax(p) = max]`` of ``p = softmax(θ)``, its backward pass the identity, and
    ``error = 0.01·Σ gate.sum()·L + 1e-7·(Σ gate.sum()·A − target)²``. All nodes of a layer get the
    same gradient, and a softmax's Jacobian takes a constant to zero: what moves θ is rounding.

    The target is the bound on the area, or the middle of the band. Every step's network is
    evaluated; the best one within the bounds is kept, without XPert's window of scores.

    Source
    ------
    Moitra et al., XPert, DAC 2023, arXiv:2303.17646.
    """
    loop = loop or PublishedLoop()
    thetas = draw(tables, seeds, loop.spread)
    optimizer = torch.optim.SGD(
        thetas, lr=loop.learning_rate, momentum=loop.momentum, weight_decay=loop.weight_decay
    )
    areas = [torch.from_numpy(steering_area(layer)).float() for layer in tables.layers]
    latencies = [
        torch.from_numpy(layer.time_ps / LATENCY_UNIT_PS).float() for layer in tables.layers
    ]
    shares = [torch.from_numpy(layer.shared_um2).float() for layer in tables.layers]
    target = target_area(tables, problem)
    incumbent = Incumbent(tables, problem, len(seeds))
    for _ in tqdm(range(loop.steps), desc="published", disable=not progress, leave=False):
        probs = [torch.softmax(theta, dim=-1) for theta in thetas]
        nodes = [prob.detach().argmax(dim=-1) for prob in probs]
        channels, options = chosen(nodes, tables)
        incumbent.look(channels, options)
        area = torch.full((len(seeds),), float(tables.constant_area_um2))
        latency, shared = torch.zeros(2, len(seeds))
        before = np.zeros(len(seeds), np.int64)
        for index, prob in enumerate(probs):
            count = Gate.apply(prob)
            assert isinstance(count, Tensor)
            at = (before, channels[:, index], options[:, index])
            area = area + count.sum(dim=-1) * areas[index][at]
            latency = latency + count.sum(dim=-1) * latencies[index][at]
            shared = torch.maximum(shared, shares[index][at])
            before = channels[:, index]
        area = area + shared
        error = loop.latency_weight * latency + loop.area_weight * (area - target) ** 2
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
    return [incumbent.attempt("published gradient", n, seed) for n, seed in enumerate(seeds)]


def target_area(tables: Tables, problem: Problem) -> float:
    """What the published error steers to: the bound, or the middle of the band [µm²]."""
    if problem.area_um2 is None:
        return float(tables.constant_area_um2)
    low = problem.least_area_um2 or problem.area_um2
    return (low + problem.area_um2) / 2


def relaxed_search(
    tables: Tables,
    problem: Problem,
    *,
    seeds: Sequence[int],
    loop: RelaxedLoop | None = None,
    progress: bool = False,
) -> list[Attempt]:
    """Descend on the expected cost of independent random choices, p = softmax(θ / temperature).

    The expectation is exact, the coupling of neighbours included: a layer's cost depends on the
    channels of the one before, whose probabilities are sums over its options:

        E[L] = Σ_l Σ_ij q_{l−1}(i)·Σ_k p_l(j, k)·L_l(i, j, k),   q_l(j) = Σ_k p_l(j, k)

    (for the interval, and for what is shared, the largest of the summands). Bounds are hinges, as
    fractions of themselves: penalty·(max(0, E[A]/bound − 1) + max(0, 1 − E[weights]/floor)), and
    the same below a band; and penalty times the expected number of pairs of neighbours that cannot
    be. The likeliest network of every step is evaluated, and the best one
    within the bounds is kept.
    """
    loop = loop or RelaxedLoop()
    thetas = draw(tables, seeds, 0.1)
    optimizer = torch.optim.Adam(thetas, lr=loop.learning_rate)
    costs = [
        tuple(
            torch.from_numpy(table).float()
            for table in (
                steering_area(t),
                t.time_ps,
                t.shared_um2,
                t.weights,
                (t.area_um2 >= FORBIDDEN).all(axis=2),
            )
        )
        for t in tables.layers
    ]
    incumbent = Incumbent(tables, problem, len(seeds))
    first, last = loop.temperatures
    scale = torch.ones(len(seeds))
    for step in tqdm(range(loop.steps), desc="corrected", disable=not progress, leave=False):
        temperature = first * (last / first) ** (step / max(1, loop.steps - 1))
        probs = [torch.softmax(theta / temperature, dim=-1) for theta in thetas]
        incumbent.look(*chosen([prob.detach().argmax(dim=-1) for prob in probs], tables))
        area = torch.full((len(seeds),), float(tables.constant_area_um2))
        weights = torch.zeros(len(seeds))
        excess = torch.zeros(len(seeds))
        times, shares = [], []
        before = torch.ones(len(seeds), 1)
        for prob, (area_table, time_table, shared_table, weight_table, forbidden) in zip(
            probs, costs, strict=True
        ):
            p = prob.view(len(seeds), *area_table.shape[1:])  # (seeds, out, option)
            here = p.sum(dim=-1)
            area = area + torch.einsum("si,sjk,ijk->s", before, p, area_table)
            times.append(torch.einsum("si,sjk,ijk->s", before, p, time_table))
            shares.append(torch.einsum("si,sjk,ijk->s", before, p, shared_table))
            weights = weights + torch.einsum("si,sj,ij->s", before, here, weight_table)
            excess = excess + torch.einsum("si,sj,ij->s", before, here, forbidden)
            before = here
        area = area + torch.stack(shares).amax(0)
        all_times = torch.stack(times)
        time = all_times.sum(0) if problem.objective == "latency" else all_times.amax(0)
        if step == 0:
            scale = time.detach()
        if problem.area_um2 is not None:
            excess = excess + torch.relu(area / problem.area_um2 - 1)
        if problem.least_area_um2:
            excess = excess + torch.relu(1 - area / problem.least_area_um2)
        if problem.least_weights:
            excess = excess + torch.relu(1 - weights / problem.least_weights)
        optimizer.zero_grad()
        (time / scale + loop.penalty * excess).sum().backward()
        optimizer.step()
    return [incumbent.attempt("corrected gradient", n, seed) for n, seed in enumerate(seeds)]
