"""Arithmetic of sizes, the same for the numbers of one block and for arrays of many blocks."""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Number",
    "at_least",
    "at_most",
    "bits",
    "ceil_div",
    "choose",
    "lcm",
    "log2",
    "range_bits",
    "signed_bits",
    "whole",
]

Number: TypeAlias = Any
"""An int, or an int64 array with a value for each of many blocks; plain ints stay plain ints.

Not a union: a type checker cannot follow which of the two an expression is.
"""


def choose(condition: Any, yes: Number, no: Number) -> Number:
    """``yes`` where the condition holds, else ``no``."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


def at_most(number: Number, limit: Number) -> Number:
    """The less of two."""
    if isinstance(number, np.ndarray) or isinstance(limit, np.ndarray):
        return np.minimum(number, limit)
    return min(number, limit)


def at_least(number: Number, limit: Number) -> Number:
    """The greater of two."""
    if isinstance(number, np.ndarray) or isinstance(limit, np.ndarray):
        return np.maximum(number, limit)
    return max(number, limit)


def ceil_div(number: Number, divisor: Number) -> Number:
    """The quotient, rounded up."""
    return -(-number // divisor)


def whole(number: Any) -> Number:
    """The whole part of a positive number."""
    return number.astype(np.int64) if isinstance(number, np.ndarray) else int(number)


def lcm(number: Number, other: Number) -> Number:
    """Least common multiple."""
    if isinstance(number, np.ndarray) or isinstance(other, np.ndarray):
        return np.lcm(number, other)
    return math.lcm(number, other)


def bits(number: Number) -> Number:
    """Bits of an unsigned number; 0 has none. Exact below 2^53."""
    if isinstance(number, int):
        return number.bit_length()
    return np.frexp(np.asarray(number, np.float64))[1].astype(np.int64)


def range_bits(count: Number) -> Number:
    """Bits of a counter of ``count`` values, as Amaranth's ``Signal(range(count))`` has."""
    return bits(at_least(count, 1) - 1)


def signed_bits(peak: Number) -> Number:
    """Bits of a number −peak .. peak, as ``Signal(range(-peak, peak + 1))`` has."""
    return bits(peak) + 1


def log2(number: Any) -> NDArray[np.float64]:
    """Logarithm to base 2; of numbers below 1 it is 0."""
    return np.log2(np.maximum(np.asarray(number, np.float64), 1.0))
