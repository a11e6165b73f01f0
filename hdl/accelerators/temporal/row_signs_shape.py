"""Sizes of what makes the signs of rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_least, ceil_div, choose, range_bits

__all__ = ["LATENCY", "STATE", "RowSignsShape"]

STATE = 32
"""Bits of a generator's state."""
LATENCY = 4
"""Cycles from a row to its signs."""


@dataclass(frozen=True)
class RowSignsShape(BlockShape):
    """Signs of ``many`` rows at a time, for ``outputs`` channels."""

    outputs: Number
    many: Number

    kind = "row_signs"
    parameters = ("outputs", "many")

    @property
    def words(self) -> Number:
        """Words of signs of a row."""
        return ceil_div(self.outputs, STATE)

    @property
    def parts(self) -> Number:
        """Parts of a word that are given one after the other."""
        return at_least(STATE // self.outputs, 1)

    @cached_property
    def flops(self) -> Number:
        """A matrix, the part of its words, three steps of each row's hash, and the signs."""
        rows = self.many * (3 * STATE + self.outputs)
        return STATE * STATE + 3 + range_bits(self.parts) + rows

    @cached_property
    def gates(self) -> Number:
        """One for the matrix, each step, and the signs."""
        return 4 + gated(self.many * self.outputs)

    @cached_property
    def free_flops(self) -> Number:
        """What tells which step works, and the part."""
        signs = self.many * self.outputs
        return 3 + range_bits(self.parts) + choose(gated(signs) > 0, 0, signs)

    @cached_property
    def terms(self) -> Terms:
        """A hash and a product for each row, more words of it, and the matrix's step."""
        many = 1.0 * self.many
        return {
            "row": many,
            "word": many * (self.words - 1),
            "part_bit": np.where(self.parts > 1, many * self.outputs, 0.0),
            "skipped_word": self.words - 1.0,
            "one": np.ones(np.shape(many)),
        }
