"""Sizes of a layer's grid of crossbar tiles: row groups, columns of tiles, sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import GATE_FF, MACRO_DEPTH, REGISTER_FF, WIRE_FF, buffers
from kakure.hdl.shape.numbers import (
    Number,
    at_least,
    at_most,
    ceil_div,
    choose,
    lcm,
    range_bits,
    signed_bits,
)

from .memory_tile_shape import MemoryTileShape
from .readout_shape import code_peak
from .tile_shape import TileShape

__all__ = ["LEAST_WORDS", "WORD", "CrossbarGridShape", "adder_levels"]

LEAST_WORDS = MACRO_DEPTH
"""Words that a tile's cells must be to become a memory: fewer are no macro, and registers."""

WORD = 32
"""Outputs whose weights are written together."""


@lru_cache(maxsize=4)
def _levels(most: int) -> NDArray[np.int64]:
    """:func:`adder_levels` of 0 .. ``most`` summands.

    At level k of a tree that halves n summands there are 2^k nodes of n >> k summands, but for
    n mod 2^k of one more; one of m summands has depth ⌈log2 m⌉.
    """
    n = np.arange(most + 1)
    total = np.zeros(most + 1, np.int64)
    for level in range(most.bit_length()):
        size, larger = n >> level, n & ((1 << level) - 1)
        total += larger * range_bits(size + 1) + ((1 << level) - larger) * range_bits(size)
    return total


def adder_levels(summands: Number) -> NDArray[np.int64]:
    """Σ of the depths of all adders of a balanced tree, by its number of summands.

    The tree halves its summands; an adder of two summands has depth 1. Every level widens the sum
    by a bit.
    """
    most = int(np.max(summands, initial=0))
    return _levels(max(1 << most.bit_length(), 4096))[summands]


@dataclass(frozen=True)
class CrossbarGridShape(BlockShape):
    """A layer of ``fan_in`` inputs and ``outputs`` on tiles of at most ``rows`` x ``columns``.

    ``sharing``, ``is_sar``, ``adc_bits``, ``adc_shift`` and ``input_bits`` are those of the tiles;
    ``in_memory`` is 1 where cells are memories, if there are words enough.
    """

    fan_in: Number
    outputs: Number
    rows: Number
    columns: Number
    sharing: Number
    is_sar: Number
    adc_bits: Number
    adc_shift: Number
    input_bits: Number
    in_memory: Number = 0

    kind = "crossbar_grid"
    parameters = (
        "groups",
        "outputs",
        "sum_bits",
        "rest_bits",
        "tile_columns",
        "fan_in",
        "input_bits",
    )
    repeated = frozenset({"outputs", "fan_in", "tile_columns", "groups"})

    @cached_property
    def has_memory(self) -> Number:
        """1 where cells are memories."""
        words = self.sharing * self._tile(self.rows, self.columns, 1).readout.cycles
        return self.in_memory * (words >= LEAST_WORDS)

    @cached_property
    def full_groups(self) -> Number:
        """Row groups that are full."""
        return self.fan_in // self.rows

    @cached_property
    def rest_rows(self) -> Number:
        """Rows of the last group, where it is not full; 0 where all its counts are shifted away."""
        rest = self.fan_in % self.rows
        return rest * (code_peak(rest, self.adc_bits, self.adc_shift) > 0)

    @cached_property
    def groups(self) -> Number:
        """Row groups."""
        return self.full_groups + (self.rest_rows > 0)

    @cached_property
    def wide_tiles(self) -> Number:
        """Tiles of all columns, side by side."""
        return self.outputs // self.columns

    @cached_property
    def last_columns(self) -> Number:
        """Columns of the last tile, where it is narrower: trimmed to whole readouts."""
        return ceil_div(self.outputs % self.columns, self.sharing) * self.sharing

    @property
    def tile_columns(self) -> Number:
        """Tiles side by side."""
        return self.wide_tiles + (self.last_columns > 0)

    @property
    def cycles(self) -> Number:
        """Cycles per vector."""
        return self._tile(self.rows, self.columns, 1).cycles

    @property
    def peak(self) -> Number:
        """Largest magnitude of a sum over all row groups."""
        full, rest = (code_peak(n, self.adc_bits, self.adc_shift) for n in self._group_rows)
        return (self.full_groups * full + rest) * ((1 << self.input_bits) - 1)

    @property
    def _group_rows(self) -> tuple[Number, Number]:
        return self.rows, self.rest_rows

    @cached_property
    def _bits(self) -> tuple[Number, Number]:
        """Bits of the sum of a full row group, and of the last."""
        scale = (1 << self.input_bits) - 1
        full, rest = (
            signed_bits(code_peak(n, self.adc_bits, self.adc_shift) * scale)
            for n in self._group_rows
        )
        return choose(self.full_groups > 0, full, rest), choose(self.rest_rows > 0, rest, full)

    @property
    def sum_bits(self) -> Number:
        """Bits of the sum of a row group."""
        return self._bits[0]

    @property
    def rest_bits(self) -> Number:
        """Bits of the sum of the last row group."""
        return self._bits[1]

    @cached_property
    def terms(self) -> Terms:
        """The adders of the row groups, and the drivers of windows and weights."""
        groups, width, outputs = self.groups, self.sum_bits, self.outputs
        narrower = (width - self.rest_bits) * (groups > 1)
        adders = (groups - 1) * (width - 1) + adder_levels(groups) - narrower
        words = at_most(outputs, WORD)
        word_sinks = 1.0 * groups * ceil_div(outputs, WORD)
        window = 1.0 * self.fan_in * self.input_bits
        tiles = self.tile_columns
        return {
            "adder_bit": 1.0 * outputs * adders,
            "adder": 1.0 * outputs * (groups - 1),
            "carry": 1.0 * outputs * adders * np.log2(np.maximum(width, 2)),
            "group": 1.0 * np.where(groups > 1, groups, 0),
            "group_bit": 1.0 * groups * range_bits(self.fan_in),
            "buffer": window * buffers(tiles * (GATE_FF + WIRE_FF))
            + 2 * words * buffers(word_sinks * (REGISTER_FF + WIRE_FF))
            + 2 * buffers(groups * tiles * 3 * (GATE_FF + WIRE_FF)),
            "one": np.ones(np.shape(groups)),
        }

    def _tile(
        self,
        rows: Number,
        columns: Number,
        write_groups: Number,
        kind: type[TileShape] = TileShape,
    ) -> TileShape:
        return kind(
            rows=rows,
            columns=columns,
            sharing=self.sharing,
            is_sar=self.is_sar,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
            input_bits=self.input_bits,
            write_groups=write_groups,
        )

    def children(self) -> Iterator[Child]:
        """Tiles: full and last row groups, each with wide tiles and a last one.

        A tile's columns are written in as many groups as words of outputs they lie in.
        """
        edge = self.wide_tiles * self.columns
        inner = (edge - 1) // WORD - (edge - 1) // lcm(self.columns, WORD)
        wide_groups = 1 + choose(edge > 0, inner, 0) / at_least(self.wide_tiles, 1)
        last_groups = (self.outputs - 1) // WORD - edge // WORD + 1
        has_last = choose(self.last_columns > 0, 1, 0)
        for rows, groups in (
            (self.rows, self.full_groups),
            (at_least(self.rest_rows, 1), choose(self.rest_rows > 0, 1, 0)),
        ):
            for kind, is_here in self._kinds():
                wide = self._tile(rows, self.columns, wide_groups, kind)
                yield Child("tile", wide, is_here * groups * self.wide_tiles)
                width = at_least(self.last_columns, self.sharing)
                last = self._tile(rows, width, last_groups, kind)
                yield Child("tile", last, is_here * groups * has_last)

    def _kinds(self) -> Iterator[tuple[type[TileShape], Number]]:
        """Kinds of tiles that there are, and 1 where a layer's are of it."""
        has_memory = self.has_memory
        if np.any(has_memory == 0):
            yield TileShape, 1 - has_memory
        if np.any(has_memory):
            yield MemoryTileShape, has_memory
