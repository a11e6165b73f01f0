"""Sizes of a memory, and what it is made of where it is no macro."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, choose, range_bits

__all__ = ["CELLS", "RamShape"]

CELLS = ("lop", "lstp")
"""Kinds of ITRS cells that a macro may be made of: of low operating power at 0.7 V, and of low
standby power at 1.1 V. The latter take about twice the energy for an access, and leak about four
hundred times less: over an image that is more, where a word is seldom read."""


@dataclass(frozen=True)
class RamShape(BlockShape):
    """``depth`` words of ``width`` bits, as flip-flops.

    ``always_reads`` is 1 where a word is read in every cycle; ``is_lstp`` is 1 where macros are
    made of cells of low standby power.
    """

    depth: Number
    width: Number
    always_reads: Number = 0
    is_lstp: Number = 0

    kind = "ram"
    parameters = ("depth", "width")
    repeated = frozenset({"width"})

    @property
    def bits(self) -> Number:
        """Bits that it holds."""
        return self.depth * self.width

    @cached_property
    def flops(self) -> Number:
        """The cells and the word read last."""
        return self.bits + self.width

    @cached_property
    def gates(self) -> Number:
        """One for each word and one for the word read last; a lone word has one in all."""
        return choose(self.depth > 1, self.depth + 1.0, 1.0) * gated(self.width)

    @cached_property
    def free_flops(self) -> Number:
        """The word read last, where that is in every cycle."""
        word = choose((self.gates > 0) & (self.depth > 1), self.width, self.flops)
        kept = choose(self.gates > 0, 0, self.flops)
        return choose(self.always_reads == 1, word, kept)

    @cached_property
    def terms(self) -> Terms:
        """Multiplexers and the choice of a word."""
        many = self.depth > 1
        cells, width = 1.0 * self.bits, 1.0 * self.width
        return {
            "lone_bit": np.where(many, 0.0, width),
            "cell": np.where(many, cells, 0.0),
            "bit": width,
            "chosen_bit": np.where(many, width, 0.0),
            "unevenness": width * ((1 << range_bits(self.depth)) - self.depth),
            "held_bit": self.flops * (1 - gated(self.width)),
            "word": 1.0 * self.depth,
            "one": np.ones(np.shape(cells)),
        }
