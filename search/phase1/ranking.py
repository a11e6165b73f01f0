"""Networks one after the other, the best first, each proven to be the next."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .recursion import Recursion
from .staircase import Integers, staircase

__all__ = ["Ranked", "rank_channels", "rank_choices"]


@dataclass(frozen=True, order=True)
class Ranked:
    """A network's place: by time, then area, then the order of its choices in the space.

    Attributes
    ----------
    time, area : int
        As the recursion counts them: the constant left out [ps, µm²].
    order : tuple of int
        Index of the channels of each layer, or of channels and option in turn.
    """

    time: int
    area: int
    order: tuple[int, ...]


@dataclass(frozen=True)
class _Prefix:
    """What the first layers cost: one label for each undominated choice of their options."""

    weights: int
    area: Integers
    time: Integers


def rank_channels(recursion: Recursion) -> Iterator[Ranked]:
    """Every list of channels that fits, each with its best options, best first."""

    def grow(prefix: _Prefix, layer: int, c_in: int) -> Iterator[tuple[tuple[int, ...], _Prefix]]:
        table = recursion.tables.layers[layer]
        for c_out in range(len(table.out_channels)):
            area, time, _ = recursion.pairs[layer][c_in][c_out]
            weights = prefix.weights - int(table.weights[c_in, c_out])
            area = (prefix.area[:, None] + area).ravel()
            time = recursion.join(prefix.time[:, None], time).ravel()
            index = staircase(area, time)
            yield (c_out,), _Prefix(weights, area[index], time[index])

    return _best_first(recursion, grow, 1)


def rank_choices(recursion: Recursion) -> Iterator[Ranked]:
    """Every choice of channels and options that fits, best first."""

    def grow(prefix: _Prefix, layer: int, c_in: int) -> Iterator[tuple[tuple[int, ...], _Prefix]]:
        table = recursion.tables.layers[layer]
        for c_out in range(len(table.out_channels)):
            weights = prefix.weights - int(table.weights[c_in, c_out])
            area = prefix.area + table.area_um2[c_in, c_out]
            time = recursion.join(prefix.time, table.time_ps[c_in, c_out])
            for option in range(len(table.options)):
                at = slice(option, option + 1)
                yield (c_out, option), _Prefix(weights, area[at], time[at])

    return _best_first(recursion, grow, 2)


def _best_first(recursion: Recursion, grow, step: int) -> Iterator[Ranked]:
    """Take the beginning whose best end is the best of all, and try every next layer.

    The recursion knows the best end of every beginning exactly, so a beginning that is taken leads
    to a network of just that cost: what is taken whole is the next best.
    """
    nothing = np.zeros(1, np.int64)
    start = _Prefix(recursion.problem.least_weights, nothing, nothing)
    heap: list[tuple[Ranked, _Prefix]] = []

    def push(order: tuple[int, ...], prefix: _Prefix) -> None:
        layer = len(order) // step
        c_in = order[-step] if order else 0
        best = recursion.best(layer, c_in, prefix.weights, prefix.area, prefix.time)
        if best is not None:
            heapq.heappush(heap, (Ranked(*best, order), prefix))

    push((), start)
    while heap:
        rank, prefix = heapq.heappop(heap)
        layer = len(rank.order) // step
        if layer == len(recursion.tables.layers):
            yield rank
            continue
        c_in = rank.order[-step] if rank.order else 0
        for order, longer in grow(prefix, layer, c_in):
            push(rank.order + order, longer)
