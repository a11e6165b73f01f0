"""Sizes of a shortcut's queue."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import buffers, gated, ram_load
from kakure.hdl.shape.numbers import Number, choose, range_bits

__all__ = ["ShortcutShape"]


@dataclass(frozen=True)
class ShortcutShape(BlockShape):
    """A queue of ``depth`` pixels of ``channels`` values of ``bits``."""

    depth: Number
    channels: Number
    bits: Number

    kind = "shortcut"
    parameters = ("depth", "channels", "bits")
    repeated = frozenset({"depth", "channels"})

    @property
    def pixel_bits(self) -> Number:
        """Bits of a pixel."""
        return self.channels * self.bits

    @property
    def _held(self) -> Number:
        """A lone pixel is in a register."""
        return choose(self.depth == 1, self.pixel_bits, 0)

    @property
    def _counters(self) -> Number:
        return 2 * range_bits(self.depth)

    @cached_property
    def flops(self) -> Number:
        """A lone pixel, or where the queue begins and ends."""
        return self._held + self._counters

    @cached_property
    def gates(self) -> Number:
        """One for the lone pixel."""
        return gated(self._held)

    @cached_property
    def terms(self) -> Terms:
        """Multiplexers, counters, and the drivers of the memory."""
        data = 1.0 * self.pixel_bits
        is_alone = self.depth == 1
        return {
            "held_bit": self._held * (1 - self.gates),
            "counter_bit": 1.0 * self._counters,
            "queue_buffer": np.where(is_alone, 0.0, data * buffers(ram_load(self.depth))),
            "queue": np.where(is_alone, 0.0, 1.0),
        }

    def children(self) -> Iterator[Child]:
        """The memory of several pixels."""
        yield Child("queue", RamShape(self.depth, self.pixel_bits), choose(self.depth > 1, 1, 0))
