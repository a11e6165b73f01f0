"""Sizes of an element of the temporal array."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.arithmetic.popcount_shape import PopcountShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, signed_bits

from .program import DIGIT

__all__ = ["HornerElementShape"]


@dataclass(frozen=True)
class HornerElementShape(BlockShape):
    """An element of ``inputs``."""

    inputs: Number

    kind = "horner_element"
    parameters = ("inputs",)

    @property
    def sum_bits(self) -> Number:
        """Width of a digit's sum."""
        return signed_bits(self.inputs * ((1 << DIGIT) - 1))

    @cached_property
    def flops(self) -> Number:
        """The sum."""
        return self.sum_bits

    @cached_property
    def gates(self) -> Number:
        """One."""
        return gated(self.sum_bits)

    @cached_property
    def terms(self) -> Terms:
        """A choice for each input, a subtraction and an addition."""
        width = 1.0 * self.sum_bits
        return {
            "input": 1.0 * self.inputs,
            "bit": width,
            "held_bit": width * (1 - self.gates),
            "one": np.ones(np.shape(width)),
        }

    def children(self) -> Iterator[Child]:
        """The tree."""
        yield Child("count", PopcountShape(self.inputs, 0 * self.inputs))
