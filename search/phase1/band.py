"""The best network whose area lies in a band, to within a proven gap.

XPert accepts areas within 5 % of a target, and so rejects networks that are smaller and faster.
With an area to be reached, dominance proves nothing; areas are therefore counted in cells.
"""

from dataclasses import dataclass

import numpy as np

from kakure.model.errors import Infeasible, UserError
from kakure.search.cost.tables import Solution, Tables

from .problem import Problem
from .staircase import NEVER, Integers

__all__ = ["BandOptimum", "band_optimum"]


@dataclass(frozen=True)
class BandOptimum:
    """A network in the band, and a time that none in the band is below.

    Attributes
    ----------
    solution : Solution
    time_ps, bound_ps : int
        Of the solution, and the proven bound from below [ps].
    """

    solution: Solution
    time_ps: int
    bound_ps: int


def band_optimum(tables: Tables, problem: Problem, cell_um2: int = 1000) -> BandOptimum:
    """Least time with ``least_area_um2`` ≤ area ≤ ``area_um2``.

    Dynamic program over (layer, channels, cells), each layer's area rounded down to cells. With n
    layers a network of K cells has an area of K to K + n cells: the least time over all K that may
    lie in the band bounds the optimum from below, that over the K that must lie in it is reached.

    Raises
    ------
    UserError
        If no K must lie in the band, a floor on the weights is asked for, or the size of a shared
        block depends on the network.
    """
    if problem.least_weights or problem.area_um2 is None:
        raise UserError(
            "must be 0, and area_um2 given, to search a band of areas", where=("least_weights",)
        )
    if len(list(tables.levels())) > 1:
        raise UserError(
            "no band can be searched with a cost model that shares a block", where=("area_um2",)
        )
    (tables,) = tables.levels()
    n = len(tables.layers)
    low = problem.least_area_um2 - tables.constant_area_um2
    high = problem.area_um2 - tables.constant_area_um2
    stages = _stages(tables, problem, cell_um2, high // cell_um2 + 1)
    total = np.stack(stages[-1]).min(axis=0)
    may = total[max(0, low // cell_um2 - n) :]
    sure_low, sure_high = max(0, -(-low // cell_um2)), high // cell_um2 - n
    sure = total[sure_low : sure_high + 1]
    if not len(sure) or int(sure.min()) == NEVER:
        raise Infeasible(
            "must leave a network in the band", where=("area_um2",), value=problem.area_um2
        )
    cell = sure_low + int(sure.argmin())
    solution = tables.solution(*_trace(tables, problem, stages, cell, cell_um2))
    return BandOptimum(solution, problem.time_ps(solution), int(may.min()))


def _join(problem: Problem, time: Integers, spent: int) -> Integers:
    joined = time + spent if problem.objective == "latency" else np.maximum(time, spent)
    return np.where(time == NEVER, NEVER, joined)


def _stages(tables: Tables, problem: Problem, cell_um2: int, cells: int) -> list[list[Integers]]:
    """Least time of the first l layers for each index of channels and number of cells."""
    start = np.full(cells, NEVER)
    start[0] = 0
    stages = [[start]]
    for layer in tables.layers:
        row = []
        for c_out in range(len(layer.out_channels)):
            least = np.full(cells, NEVER)
            for c_in, before in enumerate(stages[-1]):
                pairs = {
                    (int(area) // cell_um2, int(time))
                    for area, time in zip(
                        layer.area_um2[c_in, c_out], layer.time_ps[c_in, c_out], strict=True
                    )
                }
                for area, time in pairs:
                    if area < cells:
                        moved = _join(problem, before[: cells - area], time)
                        np.minimum(least[area:], moved, out=least[area:])
            row.append(least)
        stages.append(row)
    return stages


def _trace(
    tables: Tables, problem: Problem, stages: list[list[Integers]], cell: int, cell_um2: int
) -> tuple[list[int], list[int]]:
    """Channels and options of the network that reached ``cell`` first."""
    c_out = int(np.argmin([stage[cell] for stage in stages[-1]]))
    value = int(stages[-1][c_out][cell])
    channels, options = [], []
    for index in reversed(range(len(tables.layers))):
        layer = tables.layers[index]
        c_in, option = next(
            (c_in, option)
            for c_in, before in enumerate(stages[index])
            for option in range(len(layer.options))
            if (left := cell - int(layer.area_um2[c_in, c_out, option]) // cell_um2) >= 0
            and _join(problem, before[left : left + 1], int(layer.time_ps[c_in, c_out, option]))[0]
            <= value
        )
        channels.insert(0, c_out)
        options.insert(0, option)
        cell -= int(layer.area_um2[c_in, c_out, option]) // cell_um2
        if problem.objective == "latency":
            value -= int(layer.time_ps[c_in, c_out, option])
        c_out = c_in
    return channels, options
