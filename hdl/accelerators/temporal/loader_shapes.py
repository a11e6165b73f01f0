"""Sizes of what loads programs and images, sends logits, and counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.accelerators.frame_gate_shape import TOLD_BITS
from kakure.hdl.arithmetic.crc32_shape import Crc32Shape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, ceil_div, choose, range_bits
from kakure.hdl.weights.weight_generator_shape import MAX_TOKEN, MaskDecoderShape
from kakure.model.parameters.parameters import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS

from .address_shape import BanksShape
from .memory_shape import ram_shape
from .program import DIGIT
from .widths import CHANNEL_BITS, COUNT_BITS

__all__ = ["ImageWriterShape", "LogitSenderShape", "ProgramReaderShape", "WorkCountersShape"]

WORD, BYTE, BYTES = 32, 8, 4
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


@dataclass(frozen=True)
class WorkCountersShape(BlockShape):
    """Counters of what ``lanes`` do."""

    lanes: Number

    kind = "work_counters"
    parameters = ("lane_bits",)
    repeated = frozenset(parameters)

    @property
    def lane_bits(self) -> Number:
        """Of a count of lanes."""
        return range_bits(self.lanes + 1)

    @cached_property
    def flops(self) -> Number:
        """Six words, four events, and the lanes of a cycle."""
        return 6 * WORD + 4 + self.lane_bits

    @cached_property
    def gates(self) -> Number:
        """One for each word, but that one counts when another does, and the lanes."""
        return 5 + gated(self.lane_bits)

    @cached_property
    def free_flops(self) -> Number:
        """Events."""
        return 4 + self.lane_bits * (1 - gated(self.lane_bits))

    @cached_property
    def terms(self) -> Terms:
        """Counters, and the sum of lanes."""
        width = 1.0 * self.lane_bits
        return {"bit": width, "one": np.ones(np.shape(width))}
