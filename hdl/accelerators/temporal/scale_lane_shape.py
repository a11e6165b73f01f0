"""Sizes of one output of the finisher."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number
from kakure.model.parameters.parameters import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS

from .memory_shape import deep_enough, ram_shape

__all__ = ["SCALE_BITS", "ScaleLaneShape"]

SCALE_BITS = MULTIPLIER_BITS + OFFSET_BITS + SHIFT_BITS
"""M, B and S of a channel [bit]."""


@dataclass(frozen=True)
class ScaleLaneShape(BlockShape):
    """A lane for sums of ``sum_bits`` with ``depth`` scales."""

    sum_bits: Number
    depth: Number

    kind = "scale_lane"
    parameters = ("sum_bits",)

    @cached_property
    def flops(self) -> Number:
        """A sum, its scales, the product with the rest of them, and whether it comes."""
        return self.sum_bits + SCALE_BITS + self.sum_bits + SCALE_BITS + 1

    @cached_property
    def gates(self) -> Number:
        """One for what is multiplied, one for the product."""
        return 2 + 0 * self.sum_bits

    @cached_property
    def free_flops(self) -> Number:
        """Whether there is a product."""
        return 1 + 0 * self.sum_bits

    @cached_property
    def terms(self) -> Terms:
        """Its gates."""
        return {"bit": 1.0 * self.sum_bits}

    def children(self) -> Iterator[Child]:
        """The scales."""
        yield Child("table", ram_shape(deep_enough(self.depth), SCALE_BITS))
