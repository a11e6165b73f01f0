"""Sizes of what sums maps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.numbers import Number, range_bits

from .address_shape import BanksShape
from .program import DIGIT
from .widths import COUNT_BITS, TOTAL_BITS

__all__ = ["SummerShape"]

STATES = 3


@dataclass(frozen=True)
class SummerShape(BlockShape):
    """A summer of words of ``word`` channels."""

    word: Number
    banks: Number
    rows: Number

    kind = "summer"
    parameters = ("word", "banks", "address_bits")
    repeated = frozenset({"word", "address_bits"})

    @property
    def address_bits(self) -> Number:
        """Width of an address."""
        return BanksShape(self.banks, self.rows).address_bits

    @cached_property
    def flops(self) -> Number:
        """Totals, three addresses, the place in the map, states, and what was read."""
        states = 2 + STATES + 2 + range_bits(self.banks)
        return self.word * TOTAL_BITS + 3 * self.address_bits + 3 * COUNT_BITS + states

    @cached_property
    def gates(self) -> Number:
        """Of the totals, the addresses and the place."""
        return 4 + 0 * self.word

    @cached_property
    def free_flops(self) -> Number:
        """States, and what was read."""
        return 2 + STATES + 2 + range_bits(self.banks)

    @cached_property
    def terms(self) -> Terms:
        """Totals, their shift and clamp, words among banks, addresses."""
        word, banks = 1.0 * self.word, 1.0 * self.banks
        return {
            "lane": word,
            "read_bit": (banks - 1) * word * DIGIT,
            "bank": banks,
            "address_bit": 1.0 * self.address_bits,
            "odd_banks": BanksShape(self.banks, self.rows).odd_banks,
            "one": np.ones(np.shape(word)),
        }
