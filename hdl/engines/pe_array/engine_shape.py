"""Sizes and cycles of a layer's PE engine: chunks of weights, blocks of inputs, banks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import buffers, gated, ram_load
from kakure.hdl.shape.numbers import (
    Number,
    at_least,
    at_most,
    bits,
    ceil_div,
    choose,
    range_bits,
    signed_bits,
)
from kakure.hdl.weights.sign_generator_shape import SignGeneratorShape
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

from .array_shape import PeArrayShape

__all__ = ["WORD", "PeEngineShape"]

WORD = 32
"""Weights that are made together."""


@dataclass(frozen=True)
class PeEngineShape(BlockShape):
    """A layer on an array of at most ``most_inputs`` x ``most_outputs`` x ``most_pixels``.

    ``channels`` are outputs; a window has ``in_channels`` · ``window`` inputs of ``input_bits``;
    ``positions`` are those of an image. ``is_16`` is 1 where ``xorshift16`` makes the signs. The
    order of work is that of :class:`.PeSchedule`. Weights are hidden, in one plane; not so in a
    subclass that says other ``is_hidden`` and ``planes``.
    """

    in_channels: Number
    window: Number
    channels: Number
    positions: Number
    input_bits: Number
    most_inputs: Number
    most_outputs: Number
    most_pixels: Number
    is_16: Number

    kind = "pe_engine"
    is_hidden = 1
    planes = 1
    parameters = (
        "inputs",
        "outputs",
        "pixels",
        "banks",
        "blocks",
        "chunk_rows",
        "chunk_blocks",
        "words_per_row",
        "channels",
        "positions",
        "fan_in",
        "input_bits",
        "sum_bits",
    )
    repeated = frozenset(parameters) - {"inputs", "input_bits"}

    @classmethod
    def of(cls, config: Config, index: int) -> "PeEngineShape":
        """The engine of a layer on a PE array, with hidden weights."""
        is_16 = int(HiddenWeights.of(config.weights).generator == "xorshift16")
        return cls(**cls.sizes_of(config, index), is_16=is_16)

    @staticmethod
    def sizes_of(config: Config, index: int) -> dict[str, int]:
        """What does not depend on the kind of weights."""
        geometry = config.geometry[index]
        return dict(
            in_channels=geometry.in_channels,
            window=geometry.window,
            channels=geometry.outputs,
            positions=geometry.positions,
            input_bits=geometry.input_bits,
            most_inputs=config.pe_array.inputs,
            most_outputs=config.pe_array.outputs,
            most_pixels=config.pe_array.pixels,
        )

    @cached_property
    def fan_in(self) -> Number:
        """Inputs of a window."""
        return self.in_channels * self.window

    @cached_property
    def inputs(self) -> Number:
        """Inputs of a block, trimmed to what the layer has."""
        return at_most(self.most_inputs, self.fan_in)

    @cached_property
    def outputs(self) -> Number:
        """Outputs of the array, trimmed to those of the layer."""
        return at_most(self.most_outputs, self.channels)

    @cached_property
    def pixels(self) -> Number:
        """Positions of a batch, trimmed to those of an image."""
        return at_most(self.most_pixels, self.positions)

    @cached_property
    def banks(self) -> Number:
        """Groups of ``outputs`` channels."""
        return ceil_div(self.channels, self.outputs)

    @cached_property
    def words_per_row(self) -> Number:
        """Words of a row of weights."""
        return ceil_div(self.channels, WORD)

    @property
    def mask_words(self) -> Number:
        """Words of the mask, or of a plane."""
        return self.fan_in * self.words_per_row

    @cached_property
    def chunk_rows(self) -> Number:
        """Rows of a chunk, but for the last one.

        A chunk is a block; where ``xorshift16`` makes words channel by channel, whole channels.
        """
        whole = at_most(self.window * at_least(self.inputs // self.window, 1), self.fan_in)
        is_whole = (self.is_16 == 1) & (self.words_per_row > 1)
        return choose(is_whole, whole, self.inputs)

    @cached_property
    def chunk_blocks(self) -> Number:
        """Blocks of a chunk, but for the last one."""
        return ceil_div(self.chunk_rows, self.inputs)

    @property
    def chunk_words(self) -> Number:
        """Words of a chunk, but for the last one."""
        return self.chunk_rows * self.words_per_row

    @cached_property
    def blocks(self) -> Number:
        """Blocks of inputs in a window."""
        full, rest = self.fan_in // self.chunk_rows, self.fan_in % self.chunk_rows
        return full * self.chunk_blocks + ceil_div(rest, self.inputs)

    @property
    def peak(self) -> Number:
        """Largest magnitude of a sum."""
        return self.fan_in * ((1 << self.input_bits) - 1) * ((1 << self.planes) - 1)

    @cached_property
    def sum_bits(self) -> Number:
        """Bits of a sum."""
        return signed_bits(self.peak)

    @cached_property
    def array(self) -> PeArrayShape:
        """The array."""
        return PeArrayShape(
            inputs=self.inputs,
            outputs=self.outputs,
            pixels=self.pixels,
            input_bits=self.input_bits,
            banks=self.banks,
            sum_bits=self.sum_bits,
            is_hidden=self.is_hidden,
        )

    @property
    def stored(self) -> RamShape:
        """The memory of a window, a block a word."""
        return RamShape(self.blocks, self.inputs * self.input_bits, always_reads=1)

    @property
    def mask(self) -> RamShape:
        """The memory of the mask, or of all planes, one after the other."""
        return RamShape(self.planes * self.mask_words, at_most(self.channels, WORD), always_reads=1)

    @property
    def signs(self) -> SignGeneratorShape:
        """The generator of the weights' signs."""
        return SignGeneratorShape(
            max_channels=self.in_channels,
            max_window=self.window,
            max_blocks=self.words_per_row,
            is_16=self.is_16,
        )

    @property
    def store_cycles(self) -> Number:
        """Cycles to store a window; it is taken in the last one."""
        return self.blocks

    @property
    def plane_cycles(self) -> Number:
        """Cycles to read the mask, or a plane, and to work with all of its blocks."""
        return self.mask_words + self.blocks * self.banks * self.array.block_cycles

    @cached_property
    def work_cycles(self) -> Number:
        """Cycles from the one that takes a batch's last window to the one that offers sums."""
        return self.signs.latency + self.plane_cycles

    @property
    def batch_cycles(self) -> Number:
        """Cycles of a full batch, from one to the next, when nothing is waited for."""
        return self.pixels * (self.store_cycles + 1) + self.work_cycles - 1

    @property
    def image_cycles(self) -> Number:
        """Cycles per image when nothing is waited for."""
        batches = ceil_div(self.positions, self.pixels)
        return self.positions * (self.store_cycles + 1) + batches * (self.work_cycles - 1)

    @property
    def held_windows(self) -> Number:
        """Windows that are in the engine at most: those of a batch."""
        return self.pixels

    @cached_property
    def _counters(self) -> Number:
        """Bits that say where the work is."""
        low_zeros = bits(self.chunk_rows & -self.chunk_rows) - 1  # of every chunk's first row
        first = at_most(range_bits(self.fan_in), range_bits(self.chunk_rows)) - low_zeros
        return (
            2 * range_bits(self.blocks)
            + 3 * range_bits(self.pixels)
            + range_bits(self.positions) * (self.pixels > 1)
            + 2 * range_bits(self.mask_words)
            + range_bits(self.chunk_words)
            + at_least(first, 0)
            + (self.blocks > 1)
            + range_bits(self.banks)
            + range_bits(self.chunk_blocks)
            + 3
        )

    @property
    def _weights(self) -> Number:
        """Bits of the weights of a chunk, of both polarities."""
        return 2 * self.chunk_rows * self.channels

    @property
    def _tail(self) -> Number:
        """Channels in the last word of a row."""
        return self.channels - WORD * (self.words_per_row - 1)

    @cached_property
    def flops(self) -> Number:
        """Where the work is, and the weights of a chunk."""
        return self._counters + self._weights

    @cached_property
    def gates(self) -> Number:
        """A row's weights of one word are written together, both polarities."""
        return self.chunk_rows * (self.words_per_row - 1 + gated(2 * self._tail))

    @cached_property
    def terms(self) -> Terms:
        """The choices of blocks, weights and results, and the drivers of the memories."""
        inputs, pixels, blocks = self.inputs, self.pixels, self.blocks
        channels, width = self.channels, self.sum_bits
        words = 1.0 * inputs * self.input_bits
        options = self.banks * self.chunk_blocks
        weights, counters = 1.0 * self._weights, 1.0 * self._counters
        held = 2.0 * self.chunk_rows * self._tail
        return {
            "held_bit": held * (1 - gated(2 * self._tail)),
            "stored_bit": np.where(blocks > 1, 1.0 * self.fan_in * self.input_bits, 0.0),
            "stored_word": np.where(blocks > 1, words, 0.0),
            "block": np.where(blocks > 1, 1.0 * blocks, 0.0),
            "weight_option": np.where(options > 1, weights, 0.0),
            "weight": np.where(options > 1, 2.0 * self.outputs * inputs, 0.0),
            "weight_register": weights,
            "mask_bit": 1.0 * np.minimum(channels, WORD),
            "sent_bit": np.where(pixels > 1, 1.0 * pixels * channels * width, 0.0),
            "sum_bit": np.where(pixels > 1, 1.0 * channels * width, 0.0),
            "counter_bit": counters,
            "row": 1.0 * self.chunk_words,
            "buffer": words * buffers(pixels * ram_load(blocks)),
            "one": np.ones(np.shape(counters)),
        }

    def children(self) -> Iterator[Child]:
        """The array, a memory for each position of a batch, the mask, and the signs."""
        yield Child("array", self.array)
        yield Child("inputs", self.stored, self.pixels)
        yield Child("mask", self.mask)
        yield Child("signs", self.signs)
