"""Sizes of a counter of negative weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.arithmetic.popcount_shape import PopcountShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, range_bits

__all__ = ["ExcessCounterShape"]


@dataclass(frozen=True)
class ExcessCounterShape(BlockShape):
    """A counter of ones among ``inputs`` bits that come ``many`` at a time."""

    inputs: Number
    many: Number

    kind = "excess_counter"
    parameters = ("inputs", "many")

    @property
    def count_bits(self) -> Number:
        """Width of the count."""
        return range_bits(self.inputs + 1)

    @cached_property
    def flops(self) -> Number:
        """The count so far, and that in use."""
        return 2 * self.count_bits

    @cached_property
    def gates(self) -> Number:
        """One for each."""
        return 2 * gated(self.count_bits)

    @cached_property
    def terms(self) -> Terms:
        """An adder, and what holds the counts where no clock gate does."""
        width = 1.0 * self.count_bits
        return {
            "bit": width,
            "held_bit": 2 * width * (1 - gated(width)),
            "added_bit": 1.0 * range_bits(self.many + 1),
            "one": np.ones(np.shape(width)),
        }

    def children(self) -> Iterator[Child]:
        """The count of those that come at once."""
        yield Child("count", PopcountShape(self.many, 0 * self.many))
