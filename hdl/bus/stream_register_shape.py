"""Size of a stream register."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number

__all__ = ["StreamRegisterShape"]


@dataclass(frozen=True)
class StreamRegisterShape(BlockShape):
    """A place for one payload of ``width`` bits; known is the one of a word and ``last``."""

    width: Number = 33

    kind = "stream_register"
    parameters = ("one",)

    @property
    def one(self) -> Number:
        """1 for each."""
        return 1 + 0 * self.width

    @cached_property
    def flops(self) -> Number:
        """The payload, and whether it waits."""
        return self.width + 1

    @cached_property
    def gates(self) -> Number:
        """The payload enters as a whole."""
        return gated(self.width)

    @cached_property
    def terms(self) -> Terms:
        """Its multiplexers."""
        return {"one": np.ones(np.shape(self.width))}
