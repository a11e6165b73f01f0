"""Digital crossbar tile: cells of both polarities, shared readouts, shift-add."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from kakure.hdl.emission.hierarchy import place

from .tile_component import TileComponent, one_hot_mux

__all__ = ["CrossbarTile"]


class CrossbarTile(TileComponent):
    """Sums of hidden weights over up to ``rows`` inputs for ``columns`` outputs.

    Its cells are registers. They are written by shifting a column along by a row: a cell is a
    flip-flop and nothing else, without the enable and the row decoder that random access would
    need.

    Members
    -------
    write : ``In(struct)``
        In a cycle with ``valid``, the columns of the groups with their ``enable`` bit take the
        next row of cells: row 0 first, all ``rows`` of them.

    All else is as in :class:`~kakure.hdl.engines.crossbar.tile_component.TileComponent`.
    """

    def elaborate(self, platform) -> Module:
        m = Module()
        positive = self._cells(m, "positive")
        negative = self._cells(m, "negative")

        advance = Signal()
        m.d.comb += advance.eq(self.i.valid & (~self.o.valid | self.o.ready))
        part, is_last_part = self._turn(m, "part", self.conversion, advance)
        share, is_last_share = self._turn(m, "share", self.sharing, advance & is_last_part)
        converted = Signal()
        m.d.comb += converted.eq(advance & is_last_part)
        plane, is_last_plane = self._turn(m, "plane", self.input_bits, converted & is_last_share)

        ones = self._plane_bits(m, plane)
        ones_part = Signal(self.lanes)
        m.d.comb += ones_part.eq(one_hot_mux(part, self._parts(ones)))
        selects = Signal(len(share) * len(part))
        m.d.comb += selects.eq(Cat(share & turn.replicate(len(share)) for turn in part))

        for first in range(0, self.columns, self.sharing):
            codes = []
            for polarity, cells in (("positive", positive), ("negative", negative)):
                readout = self._readout()
                m.submodules[f"{polarity}_{first // self.sharing}"] = place(readout, platform)
                m.d.comb += readout.i.eq(self._visible(cells, first, selects) & ones_part)
                m.d.comb += readout.is_first.eq(part[0])
                m.d.comb += readout.advance.eq(advance)
                codes.append(readout.o)
            self._shift_add(m, first, codes, converted, plane[0])

        is_last = is_last_part & is_last_share & is_last_plane
        self._offer(m, is_last)
        return m

    def _cells(self, m: Module, polarity: str) -> list[Signal]:
        """One polarity's cells, a signal per column, with their write port."""
        cells = [
            Signal(self.rows, name=f"{polarity}_column_{c}", reset_less=True)
            for c in range(self.columns)
        ]
        groups = [group for group, width in enumerate(self.write_groups) for _ in range(width)]
        for column, group, bit in zip(cells, groups, self.write[polarity], strict=True):
            with m.If(self.write.valid & self.write.enable[group]):
                m.d.sync += column.eq(Cat(column[1:], bit))
        return cells

    def _parts(self, column: Value) -> list[Value]:
        """Cut a column of rows into what each cycle of a conversion counts, 0 past the end."""
        parts = []
        for k in range(self.conversion):
            part = column[min(k * self.lanes, self.rows) : (k + 1) * self.lanes]
            parts.append(Cat(part, Const(0, self.lanes - len(part))))
        return parts

    def _visible(self, cells: list[Signal], first: int, selects: Value) -> Value:
        """The cells that the readout of the columns from ``first`` on sees in this cycle."""
        columns = [self._parts(cells[first + s]) for s in range(self.sharing)]
        return one_hot_mux(selects, [parts[k] for k in range(self.conversion) for parts in columns])

    def _shift_add(
        self, m: Module, first: int, codes: list[Signal], converted: Value, is_first_plane: Value
    ) -> None:
        """One adder for the columns of a readout: their sums take turns at the end of a ring."""
        ring = self._ring(first)
        total = Signal(range(-self.peak, self.peak + 1), name=f"total_{first}")
        code = (codes[0] - codes[1]) << self.adc_shift
        m.d.comb += total.eq(Mux(is_first_plane, 0, ring[0] << 1) + code)
        with m.If(converted):
            for here, following in zip(ring, [*ring[1:], total], strict=True):
                m.d.sync += here.eq(following)
        for s, value in enumerate(ring):
            m.d.comb += self.o.payload[first + s].eq(value)
