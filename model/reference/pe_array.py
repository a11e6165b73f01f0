"""Exact sums of a bit-serial PE array.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

import numpy as np
from numpy.typing import NDArray

from .crossbar import bitwise_planes

__all__ = ["pe_array", "pe_array_bitwise"]

IntArray = NDArray[np.integer]


def pe_array(x: IntArray, w: IntArray) -> NDArray[np.int64]:
    """Exact sums Σ w·x, (n, f) x (f, c) -> (n, c)."""
    return np.asarray(x, np.int64) @ np.asarray(w, np.int64)


def pe_array_bitwise(
    x: IntArray, u: IntArray, *, bits: int, used: int | None = None
) -> NDArray[np.int64]:
    """Sums of bitwise weights by acc ← 2·acc + Σ b_i·x over the first ``used`` planes."""
    acc = np.zeros((x.shape[0], u.shape[1]), np.int64)
    for plane in bitwise_planes(u, bits)[: bits if used is None else used]:
        acc = 2 * acc + np.asarray(x, np.int64) @ (2 * plane.astype(np.int64) - 1)
    return acc
