"""Digital crossbar tile whose cells are a memory: a readout sees one word of them at a time."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram

from .memory_tile_shape import MemoryTileShape
from .tile_component import TileComponent, one_hot_mux

__all__ = ["MemoryTile"]


class MemoryTile(TileComponent):
    """Sums of hidden weights over up to ``rows`` inputs for ``columns`` outputs.

    Its cells are a memory of CS · ``conversion`` words: all readouts together see the cells of one
    share and one part of the rows in a cycle, which are one word. Shares take turns outside, planes
    inside: a sum is made up at the end of a ring that moves once for each share, and a flash tile
    reads a word for each share alone.

    A row is written by moving each share's cells of its part along by a row, one word after the
    other, from what was read of it in the cycle before: whole words alone are written.

    Members
    -------
    write : ``In(struct)``
        While ``valid``, the columns of the groups with their ``enable`` bit take a row of cells,
        until ``written``; of a conversion of several cycles, ``part`` is the one that counts it.
        The rows of a part come in order, all of them. A row that is not ``valid`` any more is given
        up.
    written : ``Out(1)``
        The last cycle of a row that is written; without an ``enable`` bit, none is.

    All else is as in :class:`~kakure.hdl.engines.crossbar.tile_component.TileComponent`.

    Timing
    ------
    As there; a row takes CS + 1 cycles.
    """

    shape_type = MemoryTileShape

    written: Signal

    def _write_members(self) -> dict[str, wiring.Member]:
        part = {"part": range(self.conversion)} if self.conversion > 1 else {}
        return {"write": In(self._write_layout(**part)), "written": Out(1)}

    def elaborate(self, platform) -> Module:
        m = Module()
        assert isinstance(self.shape, MemoryTileShape)
        words = self.shape.memory.depth
        ram = Ram(depth=words, width=self.shape.memory.width)
        m.submodules.cells = place(ram, platform)
        advance = Signal()
        m.d.comb += advance.eq(self.i.valid & (~self.o.valid | self.o.ready))
        part, is_last_part = self._turn(m, "part", self.conversion, advance)
        converted = Signal()
        m.d.comb += converted.eq(advance & is_last_part)
        plane, is_last_plane = self._turn(m, "plane", self.input_bits, converted)

        address = Signal(range(max(words, 2)))  # of the word that was read
        is_last_word = address == words - 1
        is_last = is_last_plane & is_last_word
        following = Mux(is_last_word, 0, address + 1)
        if self.conversion > 1 and self.input_bits > 1:  # the same share again
            is_again = is_last_part & ~is_last_plane
            following = Mux(is_again, address - (self.conversion - 1), following)
        m.d.comb += ram.read_address.eq(following)
        m.d.comb += ram.read_enable.eq(advance if self.conversion > 1 else advance & is_last_plane)
        self._write(m, ram, address)
        with m.If(ram.read_enable):
            m.d.sync += address.eq(ram.read_address)

        ones_part = Signal(self.lanes)
        m.d.comb += ones_part.eq(one_hot_mux(part, self._parts(self._plane_bits(m, plane))))
        readouts = self.columns // self.sharing
        codes = []
        for number in range(2 * readouts):
            polarity = "positive" if number < readouts else "negative"
            readout = self._readout()
            m.submodules[f"{polarity}_{number % readouts}"] = place(readout, platform)
            cells = ram.read_data[number * self.lanes : (number + 1) * self.lanes]
            m.d.comb += readout.i.eq(cells & ones_part)
            m.d.comb += readout.is_first.eq(part[0])
            m.d.comb += readout.advance.eq(advance)
            codes.append(readout.o)
        for number in range(readouts):
            code = (codes[number] - codes[readouts + number]) << self.adc_shift
            self._shift_add(m, number * self.sharing, code, converted, plane[0])

        self._offer(m, is_last)
        return m

    def _write(self, m: Module, ram: Ram, address: Signal) -> None:
        """Move the cells of a row's part along, share by share, then read word 0 again."""
        share = Signal(range(max(self.sharing, 2)))  # whose word was read, to be written
        is_writing = Signal()
        is_last_share = share == self.sharing - 1
        m.d.comb += [
            ram.write_address.eq(address),
            ram.write_data.eq(self._moved(ram.read_data, share)),
            ram.write_enable.eq(self.write.valid & is_writing),
            self.written.eq(self.write.valid & is_writing & is_last_share),
        ]
        with m.If(~self.write.valid):
            m.d.sync += share.eq(0)
            m.d.sync += is_writing.eq(0)
        with m.Elif(is_writing):
            m.d.comb += ram.read_address.eq(Mux(is_last_share, 0, address + self.conversion))
            m.d.comb += ram.read_enable.eq(1)
            m.d.sync += share.eq(Mux(is_last_share, 0, share + 1))
            m.d.sync += is_writing.eq(~is_last_share)
        with m.Elif(self.write.enable.any()):
            m.d.comb += ram.read_address.eq(self.write.part if self.conversion > 1 else 0)
            m.d.comb += ram.read_enable.eq(1)
            m.d.sync += is_writing.eq(1)

    def _moved(self, word: Value, share: Signal) -> Value:
        """A word with the row that is written, in the columns that are."""
        groups = [group for group, width in enumerate(self.write_groups) for _ in range(width)]
        enabled = Cat(self.write.enable[group] for group in groups)
        lanes = []
        for polarity in ("positive", "negative"):
            row = Value.cast(self.write[polarity])
            for first in range(0, self.columns, self.sharing):
                start = len(lanes) * self.lanes
                old = word[start : start + self.lanes]
                new = Cat(old[1:], self._of_share(row, first, share))
                if len(self.write_groups) > 1:
                    new = Mux(self._of_share(enabled, first, share), new, old)
                lanes.append(new)
        return Cat(lanes)

    def _of_share(self, row: Value, first: int, share: Signal) -> Value:
        """The bit of a share, of the columns of a readout."""
        return row[first : first + self.sharing].bit_select(share, 1)

    def _parts(self, ones: Value) -> list[Value]:
        """What each cycle of a conversion counts, where the rows lie that were moved along."""
        parts = []
        for k in range(self.conversion):
            part = ones[min(k * self.lanes, self.rows) : (k + 1) * self.lanes]
            parts.append(Cat(Const(0, self.lanes - len(part)), part))
        return parts

    def _shift_add(
        self, m: Module, first: int, code: Value, converted: Value, is_first_plane: Value
    ) -> None:
        """A sum is made up at the end of a ring, which moves along when the next one begins."""
        ring = self._ring(first)
        total = Signal(range(-self.peak, self.peak + 1), name=f"total_{first}")
        m.d.comb += total.eq(Mux(is_first_plane, 0, ring[-1] << 1) + code)
        with m.If(converted):
            m.d.sync += ring[-1].eq(total)
        with m.If(converted & is_first_plane):
            for here, following in pairwise(ring):
                m.d.sync += here.eq(following)
        for s, value in enumerate(ring):
            m.d.comb += self.o.payload[first + s].eq(value)
