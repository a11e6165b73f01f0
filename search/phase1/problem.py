"""What phase 1 is asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.search.cost.tables import FORBIDDEN, Solution, Tables
from kakure.search.space.space import Objective, Space

__all__ = ["Attempt", "Incumbent", "Problem"]


@dataclass(frozen=True)
class Problem:
    """Least time under bounds.

    Attributes
    ----------
    objective : "latency" or "interval"
        Sum of the layers' times, or their maximum.
    area_um2 : int or None
        Largest area; None for no bound [µm²].
    least_weights : int
        Least number of weights of the network.
    least_area_um2 : int
        Least area, 0 but to compare with a search that accepts areas near a target only [µm²].
    """

    objective: Objective = "latency"
    area_um2: int | None = None
    least_weights: int = 0
    least_area_um2: int = 0

    @classmethod
    def of(cls, space: Space) -> "Problem":
        """What the space's own file asks for."""
        bound = None if space.area_um2 is None else int(space.area_um2)
        return cls(space.objective, bound, space.least_weights)

    def evaluate(
        self, tables: Tables, channels: NDArray[np.int64], options: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Time of n choices [ps], and whether each keeps within the bounds; (n, layers) -> (n,)."""
        area, time, interval, weights = tables.costs(channels, options)
        fits = (weights >= self.least_weights) & (area >= self.least_area_um2)
        fits &= area < FORBIDDEN
        if self.area_um2 is not None:
            fits &= area <= self.area_um2
        return (time if self.objective == "latency" else interval), fits

    def time_ps(self, solution: Solution) -> int:
        """What is to be as small as possible [ps]."""
        return solution.time_ps if self.objective == "latency" else solution.interval_ps


@dataclass(frozen=True)
class Attempt:
    """What one run of a method found.

    Attributes
    ----------
    method : str
    seed : int
    solution : Solution or None
        The best network within the bounds; None if it met none.
    evaluations : int
        Networks whose cost it looked at.
    feasible : int
        How many of them were within the bounds.
    """

    method: str
    seed: int
    solution: Solution | None
    evaluations: int
    feasible: int


class Incumbent:
    """Remembers the best network within the bounds; of equal ones the first.

    Parameters
    ----------
    tables : Tables
    problem : Problem
    runs : int
        Runs side by side, each with its own best.
    """

    def __init__(self, tables: Tables, problem: Problem, runs: int = 1) -> None:
        self.tables = tables
        self.problem = problem
        self.best = np.full(runs, np.iinfo(np.int64).max)
        self.evaluations = 0
        self.feasible = np.zeros(runs, np.int64)
        self.choice = np.zeros((runs, 2, len(tables.layers)), np.int64)

    def look(self, channels: NDArray[np.int64], options: NDArray[np.int64]) -> None:
        """Evaluate one network of each run, (runs, layers)."""
        time, fits = self.problem.evaluate(self.tables, channels, options)
        self.evaluations += 1
        self.feasible += fits
        better = fits & (time < self.best)
        self.best[better] = time[better]
        self.choice[better] = np.stack([channels, options], axis=1)[better]

    def attempt(self, method: str, run: int, seed: int) -> Attempt:
        """The outcome of one run."""
        solution = None
        if self.feasible[run]:
            channels, options = self.choice[run].tolist()
            solution = self.tables.solution(channels, options)
        return Attempt(method, seed, solution, self.evaluations, int(self.feasible[run]))
