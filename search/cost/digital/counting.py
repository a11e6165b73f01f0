"""Counts that all blocks share: bits of a number, adders of a tree, buffers of a net."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST_GROUPS",
    "MOST_LANES",
    "adder_levels",
    "bits",
    "buffers",
    "driven",
    "popcount_tree",
    "ram_load",
    "range_bits",
    "signed_bits",
]

Ints = NDArray[Any]
Floats = NDArray[Any]

MOST_LANES = 1024
"""Largest popcount, as the schema's largest crossbar has that many rows."""
MOST_CAP = 20
"""Widest saturation that makes a difference up to there."""
MOST_GROUPS = 4096
"""Most summands of a grid's adder tree."""

BUFFER_LOAD, DRIVER_LIMIT, BUFFER_LIMIT = 4.287, 20.0, 60.0
"""As :mod:`.buffering` builds its trees: load of a BUF_X4 and a wire, limits [fF]."""


def bits(number: Ints) -> Ints:
    """Bits of an unsigned number; 0 has none. Exact below 2^53."""
    return np.frexp(np.asarray(number, np.float64))[1].astype(np.int64)


def range_bits(count: Ints) -> Ints:
    """Bits of a counter of ``count`` values, Amaranth's ``Signal(range(count))``."""
    return bits(np.maximum(count, 1) - 1)


def signed_bits(peak: Ints) -> Ints:
    """Bits of a number −peak .. peak."""
    return bits(peak) + 1


def buffers(load: Floats) -> Floats:
    """Buffers of the tree on a net with ``load`` [fF] behind ports of children."""
    total = np.zeros_like(load)
    while np.any(load > DRIVER_LIMIT):
        level = np.where(load > DRIVER_LIMIT, np.ceil(load / BUFFER_LIMIT), 0.0)
        total += level
        load = level * BUFFER_LOAD
    return total


def driven(load: Floats) -> Floats:
    """Load that is left of a net once it has its tree of buffers [fF]."""
    load = np.asarray(load, np.float64)
    while np.any(load > DRIVER_LIMIT):
        load = np.where(load > DRIVER_LIMIT, np.ceil(load / BUFFER_LIMIT) * BUFFER_LOAD, load)
    return load


def ram_load(depth: Ints) -> Floats:
    """Load of one bit of a memory's write port and its wire: each word's flip-flop [fF].

    From 32 words on a memory is taken for a macro, a single load; a narrow one is none, but
    then has few bits.
    """
    return np.where(depth < 32, 1.14 * depth + 1.7, 1.14) + 0.887


@lru_cache(maxsize=1)
def adder_levels() -> Ints:
    """Σ of the depths of all adders of a balanced tree, by its number of summands.

    The tree halves its summands, as :class:`kakure.hdl.engines.crossbar.engine.CrossbarGrid` does;
    an adder of two summands has depth 1. Every level widens the sum by a bit.
    """
    depth = np.zeros(MOST_GROUPS + 1, np.int64)
    total = np.zeros(MOST_GROUPS + 1, np.int64)
    for n in range(2, MOST_GROUPS + 1):
        left, right = n // 2, n - n // 2
        depth[n] = 1 + max(depth[left], depth[right])
        total[n] = total[left] + total[right] + depth[n]
    return total


@lru_cache(maxsize=1)
def popcount_tree() -> NDArray[np.int64]:
    """Parts of :class:`.Popcount`, indexed [lanes, cap_bits]; cap 0 never saturates.

    The last axis: full adders, half adders, overflow flags. Adders that only serve a flag, above
    the width at which the count saturates, are among them.
    """
    table = np.zeros((MOST_LANES + 1, MOST_CAP + 1, 3), np.int64)
    for cap in range(MOST_CAP + 1):
        width = [n.bit_length() if cap == 0 else min(n.bit_length(), cap) for n in range(1025)]
        for n in range(2, MOST_LANES + 1):
            carry = n > 2
            left, right = n // 2, n - n // 2 - carry
            both, wide = sorted((width[left], width[right]))
            full = both if carry else both - 1
            half = wide - full
            flags = wide + 1 - width[n]
            table[n, cap] = table[left, cap] + table[right, cap] + (full, half, flags)
    return table
