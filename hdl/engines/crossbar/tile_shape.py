"""Sizes of a crossbar tile: its cells, its turns and its sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_least, at_most, bits, choose, log2, signed_bits

from .readout_shape import ReadoutShape

__all__ = ["TileShape"]


@dataclass(frozen=True)
class TileShape(BlockShape):
    """A tile as :class:`.CrossbarTile` takes it.

    ``is_sar`` is 1 for sar, 0 for flash; ``write_groups`` is how many groups of columns are
    written by themselves, of many tiles the mean.
    """

    rows: Number
    columns: Number
    sharing: Number
    is_sar: Number
    adc_bits: Number
    adc_shift: Number
    input_bits: Number
    write_groups: Number

    kind = "crossbar_tile"
    parameters = (
        "rows",
        "columns",
        "sharing",
        "is_sar",
        "adc_bits",
        "adc_shift",
        "input_bits",
        "write_groups",
    )
    repeated = frozenset({"columns", "write_groups"})

    @cached_property
    def readout(self) -> ReadoutShape:
        """Each readout."""
        return ReadoutShape(self.rows, self.is_sar, self.adc_bits, self.adc_shift)

    @cached_property
    def readouts(self) -> Number:
        """Readouts of one polarity."""
        return self.columns // self.sharing

    @property
    def cycles(self) -> Number:
        """Cycles per vector, IP · CS · (1 for flash, AP for sar)."""
        return self.input_bits * self.sharing * self.readout.cycles

    @property
    def peak(self) -> Number:
        """Largest magnitude of a sum."""
        return self.readout.peak * ((1 << self.input_bits) - 1)

    @cached_property
    def cells(self) -> Number:
        """Cells of both polarities."""
        return 2 * self.rows * self.columns

    @property
    def seen_cells(self) -> Number:
        """Cells that are read in one cycle."""
        return 2 * self.readouts * self.readout.lanes

    @cached_property
    def kept_bits(self) -> Number:
        """Bits of a sum; those that the readout's shift leaves at 0 are none."""
        return signed_bits(self.peak) - self.adc_shift

    @cached_property
    def free_flops(self) -> Number:
        """Rings of conversions, columns and planes, and whether sums wait."""
        rings = (self.readout.cycles, self.sharing, self.input_bits)
        return sum(choose(ring > 1, ring, 0) for ring in rings) + 1

    @cached_property
    def held_flops(self) -> Number:
        """The sums; the cells stand still."""
        return self.columns * self.kept_bits

    @cached_property
    def flops(self) -> Number:
        """Cells, sums and rings."""
        return self.cells + self.held_flops + self.free_flops

    @cached_property
    def gates(self) -> Number:
        """One for each group of columns that are written together, and one for all sums."""
        groups = self.write_groups
        return groups * gated(self.cells / at_least(groups, 1)) + gated(self.held_flops)

    @cached_property
    def terms(self) -> Terms:
        """The choice of cells, and an adder for each readout."""
        choices = self.sharing * self.readout.cycles
        is_chosen = choices > 1
        cells = 1.0 * self.cells
        width = self.kept_bits
        code = at_most(self.adc_bits, width)  # the tile cannot know that none is ever as wide
        return {
            "plain_cell": np.where(is_chosen, 0.0, cells),
            "selected_cell": np.where(is_chosen, cells, 0.0),
            "seen_cell": np.where(is_chosen, 1.0 * self.seen_cells, 0.0),
            "input_bit": 1.0 * self.rows * self.input_bits,
            "select": 1.0 * choices,
            "accumulated_bit": np.where(self.input_bits > 1, 1.0 * self.readouts * width, 0.0),
            "code_bit": 1.0 * self.readouts * code,
            "one": np.ones(np.shape(cells)),
        }

    @property
    def path_terms(self) -> Terms:
        """From the choice of cells through the count to the sum."""
        conversion, lanes = self.readout.cycles, self.readout.lanes
        return {
            "one": np.ones(np.shape(lanes)),
            "lanes": log2(lanes),
            "choices": log2(self.sharing * conversion),
            "sinks": log2(2 * self.columns // self.sharing * lanes),
            "sum_bits": log2(signed_bits(self.peak)) * (self.input_bits > 1),
            "code_bits": log2(at_most(self.adc_bits, bits(self.rows))),
            "is_serial": 1.0 * (conversion > 1),
            "rounds": 1.0 * (self.adc_shift > 0),
        }

    def children(self) -> Iterator[Child]:
        """Readouts of both polarities."""
        for polarity in ("positive", "negative"):
            yield Child(polarity, self.readout, self.readouts)
