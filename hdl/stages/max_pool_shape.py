"""Sizes of a max-pool: its blocks, counters and what waits for the next row."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import buffers, gated, ram_load
from kakure.hdl.shape.numbers import Number, at_least, ceil_div, choose, log2, range_bits

__all__ = ["MaxPoolShape"]


@dataclass(frozen=True)
class MaxPoolShape(BlockShape):
    """A pool over a map of ``height`` x ``width``, of sums of ``sum_bits``."""

    height: Number
    width: Number
    channels: Number
    sum_bits: Number
    size: Number

    kind = "max_pool"
    parameters = ("height", "width", "channels", "sum_bits", "size")
    repeated = frozenset({"channels", "height", "width"})

    @property
    def blocks(self) -> Number:
        """Blocks side by side."""
        return self.width // self.size

    @property
    def pixel_bits(self) -> Number:
        """Bits of a pixel."""
        return self.channels * self.sum_bits

    @cached_property
    def flops(self) -> Number:
        """The best of each channel, the position, and whether a maximum waits."""
        return self.pixel_bits + self._counters + 1

    @cached_property
    def gates(self) -> Number:
        """One for all registers, or one a channel: a lone block's has an enable of its own."""
        is_alone = self.blocks == 1
        return self._has_gates * choose(is_alone, self.channels, 1)

    @property
    def _has_gates(self) -> Number:
        word = choose(self.blocks == 1, self.sum_bits, self.pixel_bits)
        return gated(word)

    @property
    def _counters(self) -> Number:
        column = range_bits(ceil_div(self.width, self.size))
        row = range_bits(ceil_div(self.height, self.size))
        # Where no row is left over, the row of blocks makes no difference.
        return column + choose(self.height % self.size > 0, row, 0) + 2 * range_bits(self.size)

    @cached_property
    def terms(self) -> Terms:
        """Comparators, multiplexers, counters, and the drivers of the memory."""
        data = 1.0 * self.pixel_bits
        waits = np.where(self.blocks == 1, 0.0, data)
        return {
            "compared_bit": data,
            "carry": data * np.log2(self.sum_bits),
            "kept_bit": waits,
            "held_bit": data * (1 - self._has_gates),
            "counter_bit": 1.0 * self._counters,
            "line_buffer": waits * buffers(ram_load(self.blocks)),
            "one": np.ones(np.shape(data)),
        }

    @property
    def path_terms(self) -> Terms:
        """Memory, comparator, and all that hang on it."""
        has_memory = self.blocks > 1
        return {
            "one": np.ones(np.shape(self.channels)),
            "sum_bits": log2(self.sum_bits),
            "memory": 1.0 * has_memory,
            "sinks": log2(self.pixel_bits) * has_memory,
        }

    def children(self) -> Iterator[Child]:
        """Maxima so far of the blocks of a row."""
        partial = RamShape(at_least(self.blocks, 1), self.pixel_bits)
        yield Child("partial", partial, choose(self.blocks > 1, 1, 0))
