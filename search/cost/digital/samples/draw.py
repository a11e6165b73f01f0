"""Values that samples take: a Latin hypercube over lists."""

import hashlib
from typing import Any

import numpy as np

from .sample import SEED

__all__ = ["Draw", "divisors", "spread"]


class Draw:
    """A Latin hypercube over lists of values: each list is walked evenly, in an order of its own.

    ``draw(name, values)`` takes the value of sample ``draw.sample``; the same name always has the
    same place in the hypercube, whatever the values.

    Parameters
    ----------
    block : str
        Seeds the hypercube.
    count : int
        Of samples.
    """

    def __init__(self, block: str, count: int) -> None:
        self.block = block
        self.count = count
        self.columns: dict[str, np.ndarray] = {}
        self.sample = 0

    def __call__(self, name: str, values: Any) -> Any:
        if name not in self.columns:
            seed = hashlib.sha256(f"{SEED} {self.block} {name}".encode()).digest()[:8]
            rng = np.random.default_rng(int.from_bytes(seed))
            places = rng.permutation(self.count) + rng.random(self.count)
            self.columns[name] = places / self.count
        values = list(values)
        return values[int(self.columns[name][self.sample] * len(values))]


def spread(low: int, high: int, count: int = 24) -> list[int]:
    """Integers from ``low`` to ``high``, evenly apart in their logarithm."""
    return [round(low * (high / low) ** (n / (count - 1))) for n in range(count)]


def divisors(number: int, most: int) -> list[int]:
    """Divisors of ``number`` that are at most ``most``, ascending."""
    return [n for n in range(1, min(number, most) + 1) if number % n == 0]
