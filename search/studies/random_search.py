"""Phase 1 by chance: networks drawn uniformly from the space."""

from collections.abc import Sequence

import numpy as np

from kakure.search.cost.tables import Tables
from kakure.search.phase1.problem import Attempt, Problem

__all__ = ["random_search"]

METHOD = "random"


def random_search(
    tables: Tables, problem: Problem, *, seeds: Sequence[int], evaluations: int = 2000
) -> list[Attempt]:
    """The best of ``evaluations`` networks, every choice uniform and independent of the others."""
    attempts = []
    for seed in seeds:
        generator = np.random.Generator(np.random.PCG64(seed))
        shape = [(len(layer.out_channels), len(layer.options)) for layer in tables.layers]
        channels = np.stack([generator.integers(n, size=evaluations) for n, _ in shape], axis=1)
        options = np.stack([generator.integers(n, size=evaluations) for _, n in shape], axis=1)
        time, fits = problem.evaluate(tables, channels, options)
        solution = None
        if fits.any():
            best = int(np.argmin(np.where(fits, time, np.iinfo(np.int64).max)))
            solution = tables.solution(channels[best].tolist(), options[best].tolist())
        attempts.append(Attempt(METHOD, seed, solution, evaluations, int(fits.sum())))
    return attempts
