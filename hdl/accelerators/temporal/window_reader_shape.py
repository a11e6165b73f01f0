"""Sizes of the reader of windows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_least, range_bits

from .address_shape import BanksShape
from .program import DIGIT
from .widths import COUNT_BITS, KERNEL_BITS, POSITION_BITS

__all__ = ["WindowReaderShape"]

PLACE_BITS = POSITION_BITS + COUNT_BITS + 2 * KERNEL_BITS + 2 * (COUNT_BITS + 1)
"""Of a place in the walk, without its address: positions left, column, place in the pool, x, y."""
STATES = 3
PLACES = 3
"""Places that are kept: now, where the pass began, and where the batch began."""


@dataclass(frozen=True)
class WindowReaderShape(BlockShape):
    """A reader for an array of ``inputs`` by ``pixels`` with ``batches``."""

    inputs: Number
    pixels: Number
    batches: Number
    word: Number
    rows: Number

    kind = "window_reader"
    parameters = ("inputs", "pixels", "batches", "banks", "address_bits")
    repeated = frozenset({"pixels", "batches", "address_bits"})

    @property
    def banks(self) -> Number:
        """Slots of a block."""
        return self.inputs // self.word

    @property
    def address_bits(self) -> Number:
        """Width of an address."""
        return BanksShape(self.banks, self.rows).address_bits

    @property
    def _place(self) -> Number:
        return PLACE_BITS + self.address_bits

    @property
    def _slots(self) -> Number:
        return self.banks * (1 + 2 * KERNEL_BITS + self.address_bits)

    @property
    def _x(self) -> Number:
        return (self.pixels - 1) * self.inputs * DIGIT

    @cached_property
    def flops(self) -> Number:
        """Places, slots, counters, a step's tags, and the activations of all positions but one."""
        batch, pixel = range_bits(self.batches + 1), range_bits(self.pixels)
        counts = pixel + 1 + 3 * batch + 2 * COUNT_BITS + STATES
        words = 2 + pixel + self.banks + range_bits(self.banks)
        tags = range_bits(self.pixels + 1) + 7 + range_bits(at_least(self.batches, 2))
        return PLACES * self._place + self._slots + counts + words + tags + self._x

    @cached_property
    def gates(self) -> Number:
        """One for each place, the slots, and each position's activations."""
        return PLACES + 1 + (self.pixels - 1) * gated(self.inputs * DIGIT)

    @cached_property
    def free_flops(self) -> Number:
        """Counters and tags."""
        held = self._x * gated(self.inputs * DIGIT)
        return self.flops - PLACES * self._place - self._slots - held

    @cached_property
    def terms(self) -> Terms:
        """Each slot's place and address, the turn of rows and words among banks, the walk."""
        banks = 1.0 * self.banks
        turned = banks * (banks - 1)
        row_bits = self.address_bits - range_bits(self.banks)
        return {
            "slot": banks,
            "slot_address_bit": banks * self.address_bits,
            "turned_row_bit": turned * row_bits,
            "turned_bit": turned * self.word * DIGIT,
            "lane_bit": 1.0 * self.inputs * DIGIT,
            "sent_bit": 1.0 * self.inputs * DIGIT * self.pixels,
            "address_bit": 1.0 * self.address_bits,
            "batch_bit": 1.0 * range_bits(self.batches + 1),
            "one": np.ones(np.shape(banks)),
        }
