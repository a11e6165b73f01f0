"""Sizes of the sender of logits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number, choose, range_bits
from kakure.model.parameters.parameters import OFFSET_BITS

from .memory_shape import ram_shape
from .widths import CHANNEL_BITS

__all__ = ["LogitSenderShape"]


@dataclass(frozen=True)
class LogitSenderShape(BlockShape):
    """A sender of ``depth`` words of ``outputs`` logits."""

    outputs: Number
    depth: Number

    kind = "logit_sender"
    parameters = ("outputs", "is_register", "depth_bits")
    repeated = frozenset({"outputs", "depth_bits"})

    @property
    def is_register(self) -> Number:
        """1 where there is one word, which is no memory."""
        return choose(self.depth == 1, 1, 0)

    @property
    def depth_bits(self) -> Number:
        """Of the address of a word; none of a lone one."""
        return range_bits(self.depth)

    @cached_property
    def flops(self) -> Number:
        """Where it writes and reads, the largest logit and its number, states, and a lone word."""
        counts = 2 * self.depth_bits + range_bits(self.outputs) + 2 * CHANNEL_BITS
        word = OFFSET_BITS * self.outputs * self.is_register
        return counts + OFFSET_BITS + 3 + word

    @cached_property
    def gates(self) -> Number:
        """Of the largest logit, its number, and the word."""
        return 2 + self.is_register

    @cached_property
    def free_flops(self) -> Number:
        """Counters and states."""
        return 2 * self.depth_bits + range_bits(self.outputs) + CHANNEL_BITS + 3

    @cached_property
    def terms(self) -> Terms:
        """The choice of a logit, its comparator, counters."""
        outputs = 1.0 * self.outputs
        return {
            "output": outputs - 1,
            "depth_bit": 1.0 * self.depth_bits,
            "one": np.ones(np.shape(outputs)),
        }

    def children(self) -> Iterator[Child]:
        """Logits."""
        width = OFFSET_BITS * self.outputs
        yield Child("logits", ram_shape(self.depth, width), choose(self.depth == 1, 0, 1))
