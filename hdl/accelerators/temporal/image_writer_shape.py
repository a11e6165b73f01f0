"""Sizes of the writer of images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, choose, range_bits

from .address_shape import BanksShape
from .program import DIGIT
from .widths import CHANNEL_BITS, COUNT_BITS

__all__ = ["ImageWriterShape"]

BYTE = 8
BYTES = 4


@dataclass(frozen=True)
class ImageWriterShape(BlockShape):
    """A writer of words of ``word`` channels into ``banks``."""

    word: Number
    banks: Number
    rows: Number

    kind = "image_writer"
    parameters = ("word", "banks", "address_bits")
    repeated = frozenset({"word", "address_bits"})

    @property
    def address_bits(self) -> Number:
        """Width of an address."""
        return BanksShape(self.banks, self.rows).address_bits

    @cached_property
    def flops(self) -> Number:
        """Place in the image, two addresses, values of a word but its last, its second digits."""
        place = range_bits(BYTES) + range_bits(self.word) + CHANNEL_BITS + 2 * COUNT_BITS
        kept = (self.word - 1) * BYTE + self.word * DIGIT
        return place + 2 + 2 * self.address_bits + kept

    @cached_property
    def gates(self) -> Number:
        """One for each value, the address, and what follows a word; one for both where all are."""
        second = gated(self.word * DIGIT + self.address_bits)
        return self.word - 1 + choose(self.word == 1, 0, gated(self.address_bits)) + second

    @cached_property
    def free_flops(self) -> Number:
        """The place in the image."""
        return range_bits(BYTES) + range_bits(self.word) + CHANNEL_BITS + 2 * COUNT_BITS + 2

    @cached_property
    def terms(self) -> Terms:
        """Values, addresses and counters."""
        word = 1.0 * self.word
        return {
            "lane": word,
            "address_bit": 1.0 * self.address_bits,
            "odd_banks": BanksShape(self.banks, self.rows).odd_banks,
            "one": np.ones(np.shape(word)),
        }
