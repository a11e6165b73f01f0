"""Sizes of the counters of what the array does."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, range_bits

__all__ = ["WorkCountersShape"]

WORD = 32


@dataclass(frozen=True)
class WorkCountersShape(BlockShape):
    """Counters of what ``lanes`` do."""

    lanes: Number

    kind = "work_counters"
    parameters = ("lane_bits",)
    repeated = frozenset(parameters)

    @property
    def lane_bits(self) -> Number:
        """Of a count of lanes."""
        return range_bits(self.lanes + 1)

    @cached_property
    def flops(self) -> Number:
        """Six words, four events, and the lanes of a cycle."""
        return 6 * WORD + 4 + self.lane_bits

    @cached_property
    def gates(self) -> Number:
        """One for each word, but that one counts when another does, and the lanes."""
        return 5 + gated(self.lane_bits)

    @cached_property
    def free_flops(self) -> Number:
        """Events."""
        return 4 + self.lane_bits * (1 - gated(self.lane_bits))

    @cached_property
    def terms(self) -> Terms:
        """Counters, and the sum of lanes."""
        width = 1.0 * self.lane_bits
        return {"bit": width, "one": np.ones(np.shape(width))}
