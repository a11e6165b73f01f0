"""Sizes of a sum pool: its accumulators, and the count of positions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, bits, choose, range_bits

__all__ = ["SumPoolShape"]


@dataclass(frozen=True)
class SumPoolShape(BlockShape):
    """Sums over maps of ``positions``, as :class:`.SumPool` takes them."""

    positions: Number
    channels: Number
    bits: Number
    shift: Number
    output_bits: Number

    kind = "sum_pool"
    parameters = ("positions", "channels", "bits", "sum_bits", "shift", "output_bits")
    repeated = frozenset({"positions", "channels"})

    @property
    def peak(self) -> Number:
        """Largest sum."""
        return self.positions * ((1 << self.bits) - 1)

    @property
    def sum_bits(self) -> Number:
        """Bits of a sum."""
        return bits(self.peak)

    @property
    def _counter(self) -> Number:
        return range_bits(self.positions)

    @cached_property
    def held_flops(self) -> Number:
        """The sums; of a lone position's the bits that are dropped are kept by nobody."""
        dropped = choose(self.positions == 1, self.shift, 0)
        return self.channels * (self.sum_bits - dropped)

    @cached_property
    def free_flops(self) -> Number:
        """Whether sums wait, and the position."""
        return self._counter + 1

    @cached_property
    def flops(self) -> Number:
        """The sums, the position, and whether they wait."""
        return self.held_flops + self.free_flops

    @cached_property
    def gates(self) -> Number:
        """All sums step together."""
        return gated(self.held_flops)

    @property
    def cut_bits(self) -> Number:
        """Bits of a sum that can only saturate it."""
        left = self.sum_bits - self.shift - self.output_bits
        return choose(left > 0, left, 0)

    @cached_property
    def terms(self) -> Terms:
        """Adders with what begins a sum anew, what saturates, and the counter."""
        data = 1.0 * self.channels
        adds = choose(self.positions > 1, 1.0, 0.0)
        cuts = choose(self.cut_bits > 0, 1.0, 0.0)
        return {
            "full_adder": adds * data * (self.bits - 1),
            "half_adder": adds * data * (self.sum_bits - self.bits),
            "held_bit": self.held_flops * (1 - self.gates),
            "cut_bit": data * self.cut_bits,
            "saturated_bit": cuts * data * self.output_bits,
            "counter_bit": 1.0 * self._counter,
            "one": np.ones(np.shape(data)),
        }
