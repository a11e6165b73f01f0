"""Size of the counters."""

from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.shape.block_shape import FixedShape
from kakure.hdl.shape.numbers import Number

__all__ = ["WORD", "CountersShape"]

WORD = 32
"""Bits of a counter."""


@dataclass(frozen=True)
class CountersShape(FixedShape):
    """Cycles of loading and of images, and results."""

    kind = "counters"

    @cached_property
    def flops(self) -> Number:
        """Four counts that are shown and the present one, five events, whether one has begun."""
        return (5 * WORD + 5 + 1) * self.one
