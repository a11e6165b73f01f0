"""Sizes of a crossbar tile whose cells are a memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_most, choose, log2, range_bits

from .tile_shape import TileShape

__all__ = ["MemoryTileShape"]


@dataclass(frozen=True)
class MemoryTileShape(TileShape):
    """A tile as :class:`.MemoryTile` takes it; the fields are those of :class:`.TileShape`."""

    kind = "memory_tile"

    @cached_property
    def memory(self) -> RamShape:
        """The cells: a word for each share and each part of the rows."""
        return RamShape(self.sharing * self.readout.cycles, self.seen_cells)

    @cached_property
    def free_flops(self) -> Number:
        """Rings of parts and planes, the share that is written, whether one is, and sums wait."""
        rings = (self.readout.cycles, self.input_bits)
        address = range_bits(self.memory.depth)
        return (
            sum(choose(ring > 1, ring, 0) for ring in rings)
            + range_bits(self.sharing)
            + address * (1 - gated(address))
            + 2
        )

    @cached_property
    def held_flops(self) -> Number:
        """The sums; the address too, where it has a clock gate."""
        address = range_bits(self.memory.depth)
        return self.columns * self.kept_bits + address * gated(address)

    @cached_property
    def flops(self) -> Number:
        """Sums, rings and the address."""
        return self.free_flops + self.held_flops

    @cached_property
    def gates(self) -> Number:
        """One for the sums that are made up, one for those that are, one for a wide address."""
        made = self.readouts * self.kept_bits
        rest = self.held_flops - made
        return gated(made) + gated(rest)

    @cached_property
    def terms(self) -> Terms:
        """What is counted of the rows, adders, the choice of a column that is written."""
        groups = self.write_groups > 1
        columns = 1.0 * self.columns * (self.sharing > 1)
        width = self.kept_bits
        return {
            "input_bit": 1.0 * self.rows * self.input_bits,
            "counted_row": 1.0 * self.rows * (self.readout.cycles > 1),
            "seen_cell": 1.0 * self.seen_cells,
            "kept_cell": np.where(groups, 1.0 * self.seen_cells, 0.0),
            "written_column": 2 * columns,
            "chosen_column": np.where(groups, columns, 0.0),
            "address_bit": 1.0 * range_bits(self.memory.depth),
            "accumulated_bit": np.where(self.input_bits > 1, 1.0 * self.readouts * width, 0.0),
            "code_bit": 1.0 * self.readouts * at_most(self.adc_bits, width),
            "one": np.ones(np.shape(columns)),
        }

    @property
    def path_terms(self) -> Terms:
        """From the memory through the count to the sum."""
        terms = dict(super().path_terms)
        for name in ("choices", "sinks"):
            del terms[name]
        return terms | {"words": log2(self.memory.depth)}

    def children(self) -> Iterator[Child]:
        """Readouts of both polarities, and the cells."""
        yield from super().children()
        yield Child("cells", self.memory)
