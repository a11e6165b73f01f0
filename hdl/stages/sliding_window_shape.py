"""Sizes of a sliding window: its map, its registers and its lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import buffers, gated, ram_load
from kakure.hdl.shape.numbers import Number, at_least, choose, range_bits

__all__ = ["SlidingWindowShape"]


@dataclass(frozen=True)
class SlidingWindowShape(BlockShape):
    """A window over a map, both as :class:`.SlidingWindow` takes them."""

    height: Number
    width: Number
    channels: Number
    bits: Number
    kernel_height: Number
    kernel_width: Number
    padding: Number

    kind = "sliding_window"
    parameters = (
        "height",
        "width",
        "channels",
        "bits",
        "kernel_height",
        "kernel_width",
        "padding",
    )
    repeated = frozenset(parameters) - {"bits"}

    @property
    def padded_height(self) -> Number:
        """Height of the map with its zeros."""
        return self.height + 2 * self.padding

    @property
    def padded_width(self) -> Number:
        """Width of the map with its zeros."""
        return self.width + 2 * self.padding

    @property
    def pixel_bits(self) -> Number:
        """Bits of a pixel."""
        return self.channels * self.bits

    @property
    def fan_in(self) -> Number:
        """Values of a window."""
        return self.channels * self.kernel_height * self.kernel_width

    @property
    def has_lines(self) -> Number:
        """Whether pixels above wait in a memory: not where the window's registers hold them."""
        return (self.kernel_height > 1) & (self.kernel_width != self.padded_width)

    @property
    def line_bits(self) -> Number:
        """Bits of the pixels above a position."""
        return (self.kernel_height - 1) * self.pixel_bits

    @cached_property
    def held_flops(self) -> Number:
        """The window's registers."""
        return self.fan_in * self.bits

    @cached_property
    def free_flops(self) -> Number:
        """The position, and whether a window waits."""
        return self._counters + 1

    @cached_property
    def flops(self) -> Number:
        """The window, the position, and whether a window waits."""
        return self.held_flops + self.free_flops

    @cached_property
    def gates(self) -> Number:
        """All registers of the window step together."""
        return gated(self.held_flops)

    @property
    def _has_y(self) -> Number:
        return (self.kernel_height > 1) | (self.padding > 0)

    @property
    def _has_x(self) -> Number:
        """A window of one pixel needs no position."""
        return (self.kernel_width > 1) | self._has_y

    @property
    def _counters(self) -> Number:
        x = choose(self._has_x, range_bits(self.padded_width), 0)
        return x + choose(self._has_y, range_bits(self.padded_height), 0)

    @cached_property
    def terms(self) -> Terms:
        """Multiplexers, counters, and the drivers of the lines."""
        data = 1.0 * self.held_flops
        lines = np.where(self.has_lines, 1.0 * self.line_bits, 0.0)
        return {
            "padded_bit": np.where(self.padding > 0, 1.0 * self.pixel_bits, 0.0),
            "held_bit": data * (1 - self.gates),
            "counter_bit": 1.0 * self._counters,
            "line_buffer": lines * buffers(ram_load(self.padded_width)),
            "one": 1.0 * self._has_x,
        }

    def children(self) -> Iterator[Child]:
        """The lines above."""
        lines = RamShape(self.padded_width, at_least(self.line_bits, 1))
        yield Child("buffer", lines, choose(self.has_lines, 1, 0))
