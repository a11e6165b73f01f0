"""Few combinations of parameters that hold every pair of values."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Any

__all__ = ["covering"]

TRIES = 40
"""Random combinations of which the best is taken."""

Combination = dict[str, Any]


def covering(
    values: Mapping[str, Sequence[Any]],
    *,
    is_allowed: Callable[[Combination], bool] = lambda _: True,
    seed: int = 1,
) -> list[Combination]:
    """Combinations of one value per name that hold every allowed pair of values at least once.

    Greedy: the same for the same arguments, and not the fewest possible.

    Parameters
    ----------
    values : mapping of str to sequence
        Values of each name, hashable.
    is_allowed : function of a combination to bool
        Which combinations there may be. A pair is allowed if random combinations hold it.
    seed : int
    """
    rng = Random(seed)
    names = list(values)

    def pairs(combination: Combination) -> set[tuple[Any, ...]]:
        return {(a, combination[a], b, combination[b]) for a, b in combinations(names, 2)}

    def completed(fixed: Combination) -> Combination | None:
        for _ in range(TRIES):
            combination = {name: fixed.get(name, rng.choice(values[name])) for name in names}
            if is_allowed(combination):
                return combination
        return None

    missing = [
        (a, u, b, v) for a, b in combinations(names, 2) for u in values[a] for v in values[b]
    ]
    chosen: list[Combination] = []
    covered: set[tuple[Any, ...]] = set()
    for a, u, b, v in missing:
        if (a, u, b, v) in covered:
            continue
        tries = [completed({a: u, b: v}) for _ in range(TRIES)]
        best = max(
            (candidate for candidate in tries if candidate is not None),
            key=lambda candidate: len(pairs(candidate) - covered),
            default=None,
        )
        if best is not None:
            chosen.append(best)
            covered |= pairs(best)
    return chosen
