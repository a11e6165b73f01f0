"""Sizes of the reader of programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.arithmetic.crc32_shape import Crc32Shape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, ceil_div, range_bits
from kakure.hdl.weights.weight_generator_shape import MAX_TOKEN, MaskDecoderShape
from kakure.model.parameters.parameters import MULTIPLIER_BITS, SHIFT_BITS

from .widths import CHANNEL_BITS, COUNT_BITS

__all__ = ["ProgramReaderShape"]

WORD = 32
BYTE = 8
IMAGE_BITS = CHANNEL_BITS + 2 * COUNT_BITS + 3 + 1
"""Of an image's record, without its three addresses."""


@dataclass(frozen=True)
class ProgramReaderShape(BlockShape):
    """A reader of programs for as much as a core holds; ``group`` bits of a mask's word."""

    operations: Number
    words: Number
    group: Number
    outputs: Number
    mask_words: Number
    scales: Number
    address: Number

    kind = "program_reader"
    parameters = ("operations", "words", "group", "outputs", "mask_words", "scales")
    repeated = frozenset(parameters)

    @property
    def image_bits(self) -> Number:
        """Of what is kept of an image's record."""
        return WORD * ceil_div(IMAGE_BITS + 3 * self.address, WORD)

    @property
    def pieces(self) -> Number:
        """Of a mask's word, as they are decoded."""
        return ceil_div(self.group, WORD)

    @property
    def earlier(self) -> Number:
        """Bits of a mask's word that wait for its last piece."""
        return WORD * (self.pieces - 1)

    @property
    def _counters(self) -> Number:
        program = 2 * range_bits(self.operations + 1) + range_bits(self.operations * self.words)
        masks = range_bits(self.pieces) + range_bits(self.mask_words + 1)
        return program + masks + range_bits(self.outputs) + range_bits(self.scales + 1)

    @cached_property
    def flops(self) -> Number:
        """What a header says, counters, states 5 and errors 3, scales that wait, a mask's word."""
        token = MAX_TOKEN.bit_length()
        counts = BYTE + 2 * WORD + TOLD_BITS + CHANNEL_BITS + BYTE + token
        scales = 2 * CHANNEL_BITS + MULTIPLIER_BITS + SHIFT_BITS
        return counts + scales + 8 + self.image_bits + self._counters + self.earlier

    @cached_property
    def gates(self) -> Number:
        """Of what the header says, scales, the image, and a mask's word."""
        address = gated(range_bits(self.operations * self.words))
        return 8 + address + gated(self.earlier)

    @cached_property
    def free_flops(self) -> Number:
        """States, errors, and counters with a reset."""
        address = range_bits(self.operations * self.words)
        return 8 + BYTE + WORD + CHANNEL_BITS + self._counters - address * gated(address)

    @cached_property
    def terms(self) -> Terms:
        """Checks and counters."""
        counters = 1.0 * self._counters
        return {
            "counter_bit": counters,
            "image_bit": 1.0 * self.image_bits,
            "earlier_bit": 1.0 * self.earlier,
            "one": np.ones(np.shape(counters)),
        }

    def children(self) -> Iterator[Child]:
        """The checksum and the decoder."""
        yield Child("crc", Crc32Shape())
        yield Child("decoder", MaskDecoderShape())
