"""Sizes of what finishes sums: pools, shortcuts, and what is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, range_bits

from .address_shape import BanksShape
from .program import DIGIT
from .scale_lane_shape import ScaleLaneShape
from .widths import CODE_BITS, COUNT_BITS, KERNEL_BITS, POSITION_BITS

__all__ = ["FinisherShape"]


@dataclass(frozen=True)
class FinisherShape(BlockShape):
    """A finisher of ``outputs`` sums of ``sum_bits``, in words of ``word`` channels."""

    outputs: Number
    word: Number
    banks: Number
    rows: Number
    sum_bits: Number
    depth: Number

    kind = "finisher"
    parameters = ("outputs", "word", "banks", "address_bits")
    repeated = frozenset({"outputs", "word", "address_bits"})

    @property
    def parts(self) -> Number:
        """Words of a position."""
        return self.outputs // self.word

    @property
    def address_bits(self) -> Number:
        """Width of an address."""
        return BanksShape(self.banks, self.rows).address_bits

    @property
    def _lane(self) -> Number:
        """The largest sum, what is added, the sum, what is added to it, and the code."""
        return self.sum_bits + 2 * CODE_BITS + (CODE_BITS + 2) + 2 * CODE_BITS

    @property
    def _states(self) -> Number:
        """What is clocked in every cycle."""
        return 17 + 2 * range_bits(self.parts)

    @cached_property
    def flops(self) -> Number:
        """Lanes, counters of pools and positions, addresses, and a pipeline of four stages."""
        many, number = range_bits(self.parts + 1), range_bits(self.parts)
        counts = 2 * POSITION_BITS + 2 * KERNEL_BITS + 4 * COUNT_BITS
        addresses = 11 * self.address_bits + 7 * many + 3 * number + range_bits(self.banks)
        return self.outputs * self._lane + counts + addresses + 23

    @cached_property
    def gates(self) -> Number:
        """One for each sum, two for each word, and those of the pipeline, of addresses too."""
        addresses = 3 * gated(self.address_bits)
        return self.outputs + 2 * self.parts * gated(self.word * DIGIT) + 10 + addresses

    @cached_property
    def free_flops(self) -> Number:
        """States."""
        return self._states

    @cached_property
    def terms(self) -> Terms:
        """Lanes, words that are read and written, addresses and counters."""
        outputs, banks = 1.0 * self.outputs, 1.0 * self.banks
        return {
            "lane": outputs,
            "read_bit": (banks - 1) * self.word * DIGIT,
            "written_bit": np.where(self.parts > 1, outputs * DIGIT, 0.0),
            "bank": banks,
            "address_bit": 1.0 * self.address_bits,
            "odd_banks": BanksShape(self.banks, self.rows).odd_banks,
            "part": 1.0 * self.parts,
            "one": np.ones(np.shape(outputs)),
        }

    def children(self) -> Iterator[Child]:
        """Lanes."""
        yield Child("lane", ScaleLaneShape(self.sum_bits, self.depth), self.outputs)
