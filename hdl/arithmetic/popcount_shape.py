"""Sizes of a popcount: its tree of adders."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.numbers import Number, at_most, bits, choose

__all__ = ["PopcountShape", "adder_tree", "count_bits", "halves"]

MOST_LANES = 1024
"""Largest popcount, as the schema's largest crossbar has that many rows."""
MOST_CAP = 20
"""Widest saturation that makes a difference up to there."""


def count_bits(lanes: Number, cap_bits: Number) -> Number:
    """Width of the count of ``lanes`` bits that saturates at ``cap_bits``; 0 never saturates."""
    width = bits(lanes)
    return choose(cap_bits > 0, at_most(width, cap_bits), width)


def halves(lanes: int) -> tuple[int, int, int]:
    """Lanes on the left and on the right of an adder, and in its carry, 0 or 1."""
    carry = int(lanes > 2)
    return lanes // 2, lanes - lanes // 2 - carry, carry


@lru_cache(maxsize=1)
def adder_tree() -> NDArray[np.int64]:
    """Parts of a popcount, indexed [lanes, cap_bits]; cap 0 never saturates.

    The last axis: full adders, half adders, overflow flags. Adders that only serve a flag, above
    the width at which the count saturates, are among them.
    """
    table = np.zeros((MOST_LANES + 1, MOST_CAP + 1, 3), np.int64)
    for cap in range(MOST_CAP + 1):
        width = [count_bits(lanes, cap) for lanes in range(MOST_LANES + 1)]
        for lanes in range(2, MOST_LANES + 1):
            left, right, carry = halves(lanes)
            both, wide = sorted((width[left], width[right]))
            full = both if carry else both - 1
            flags = wide + 1 - width[lanes]
            table[lanes, cap] = table[left, cap] + table[right, cap] + (full, wide - full, flags)
    return table


@dataclass(frozen=True)
class PopcountShape(BlockShape):
    """A count of ``lanes`` bits that saturates at ``cap_bits``; 0 never saturates."""

    lanes: Number
    cap_bits: Number

    kind = "popcount"
    parameters = ("lanes", "cap_bits")

    @property
    def count_bits(self) -> Number:
        """Width of the count."""
        return count_bits(self.lanes, self.cap_bits)

    @cached_property
    def terms(self) -> Terms:
        """Adders and flags."""
        cap = np.where(self.cap_bits < bits(self.lanes), self.cap_bits, 0)
        parts = adder_tree()[self.lanes, cap].astype(np.float64)
        full, half, flags = parts[..., 0], parts[..., 1], parts[..., 2]
        is_or, is_narrow = cap == 1, cap == 2  # their adders shrink to a few gates
        is_wide = ~is_or & ~is_narrow
        return {
            "lane_of_or": np.where(is_or, self.lanes - 1.0, 0.0),
            "lane_of_wide_or": np.where(is_or, np.maximum(self.lanes - 16.0, 0.0), 0.0),
            "narrow_adder": np.where(is_narrow, full + half, 0.0),
            "full_adder": np.where(is_wide, full, 0.0),
            "half_adder": np.where(is_wide, half, 0.0),
            "flag": np.where(is_wide, flags, 0.0),
            "saturation": np.where(is_wide & (flags > 0), cap, 0.0),
        }
