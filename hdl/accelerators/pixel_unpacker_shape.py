"""Sizes of a pixel unpacker."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, range_bits

__all__ = ["BYTES", "PixelUnpackerShape"]

BYTES = 4
"""Values of a word."""


@dataclass(frozen=True)
class PixelUnpackerShape(BlockShape):
    """An unpacker of images of ``pixels``, each ``channels`` values of ``bits``."""

    pixels: Number
    channels: Number
    bits: Number

    kind = "pixel_unpacker"
    parameters = ("pixels", "channels", "bits")
    repeated = frozenset({"pixels", "channels"})

    @property
    def _held(self) -> Number:
        """All values of a pixel but its last wait."""
        return (self.channels - 1) * self.bits

    @property
    def _counters(self) -> Number:
        return range_bits(BYTES) + range_bits(self.channels) + range_bits(self.pixels)

    @cached_property
    def flops(self) -> Number:
        """Byte, channel and pixel, and the values that wait."""
        return self._counters + self._held

    @cached_property
    def gates(self) -> Number:
        """The values shift together."""
        return gated(self._held)

    @cached_property
    def terms(self) -> Terms:
        """The choice of a byte, and counters."""
        held = 1.0 * self._held
        return {
            "bit": 1.0 * self.bits,
            "counter_bit": 1.0 * self._counters,
            "held_bit": held * (1 - self.gates),
            "one": np.ones(np.shape(held)),
        }
