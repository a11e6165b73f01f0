"""Digital crossbar tile: cells of both polarities, shared readouts, shift-add."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .readout import Readout, conversion_cycles
from .tile_shape import TileShape

__all__ = ["CrossbarTile", "one_hot_mux"]


def one_hot_mux(selects: Value, words: Sequence[Value]) -> Value:
    """The word whose bit of ``selects`` is 1, as AND and OR; a single word as it is."""
    if len(words) == 1:
        return words[0]
    chosen = [
        word & select.replicate(len(word)) for select, word in zip(selects, words, strict=True)
    ]
    while len(chosen) > 1:  # a balanced tree: a long chain is too deep for Amaranth
        pairs = zip(chosen[::2], chosen[1::2], strict=False)
        chosen = [a | b for a, b in pairs] + chosen[len(chosen) & ~1 :]
    return chosen[0]


class CrossbarTile(wiring.Component):
    """Sums of hidden weights over up to ``rows`` inputs for ``columns`` outputs.

    A column holds a positive and a negative cell per row. For each input bit-plane, most
    significant first, and each group of columns in turn, both polarities are counted by a
    saturating readout, and acc ← 2·acc + (code⁺ − code⁻)·2^s. Exact but for the readouts.

    Cells are written by shifting a column along by a row: a cell is a flip-flop and nothing else,
    without the enable and the row decoder that random access would need.

    Bit-equal to :func:`kakure.model.reference.crossbar.crossbar` with one row group.

    Parameters
    ----------
    rows, columns : int, at least 1
        Cells per column, and columns of one polarity (R, C).
    sharing : int, a divisor of ``columns``
        Columns that take turns at one readout (CS).
    adc_type : "flash" or "sar"
    adc_bits : int, at least 1
        Width of a readout's code (AP) [bit].
    adc_shift : int, at least 0
        Bits dropped by the readout (s).
    input_bits : int, at least 1
        Width of an unsigned input (IP) [bit].
    write_groups : tuple of int, their sum ``columns``
        Columns that are written together; by default all.

    Attributes
    ----------
    cycles : int
        Cycles per vector, IP · CS · (1 for flash, AP for sar).
    peak : int
        Largest magnitude of a sum.

    Members
    -------
    write : ``In(struct)``
        In a cycle with ``valid``, the columns of the groups with their ``enable`` bit take the
        next row of cells, ``positive`` and ``negative`` (a bit per column): row 0 first, all
        ``rows`` of them. Never while a vector is in flight.
    i : ``In(stream.Signature(ArrayLayout(input_bits, rows)))``
        The vector. Read in place: it is taken in its last cycle.
    o : ``Out(stream.Signature(ArrayLayout(range(-peak, peak + 1), columns)))``
        The sums.

    Timing
    ------
    Exactly ``cycles`` cycles a vector, back to back; ``o`` is valid in the cycle after the one
    that takes ``i``. While an untaken ``o`` is offered nothing advances.

    Raises
    ------
    ValueError
        If a parameter is out of range, or ``sharing`` does not divide ``columns``.

    Source
    ------
    Column sharing and converter types as searched by Moitra et al., XPert, DAC 2023
    (arXiv:2303.17646); bit-serial digital columns are common practice.
    """

    write: data.View
    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        rows: int,
        columns: int,
        sharing: int,
        adc_type: str,
        adc_bits: int,
        input_bits: int,
        adc_shift: int = 0,
        write_groups: tuple[int, ...] | None = None,
    ) -> None:
        if rows < 1:
            raise ValueError(f"rows must be at least 1, not {rows!r}")
        if columns < 1:
            raise ValueError(f"columns must be at least 1, not {columns!r}")
        if sharing < 1 or columns % sharing:
            raise ValueError(f"sharing must divide columns = {columns}, not {sharing!r}")
        if input_bits < 1:
            raise ValueError(f"input_bits must be at least 1, not {input_bits!r}")
        if write_groups is None:
            write_groups = (columns,)
        if sum(write_groups) != columns or min(write_groups) < 1:
            raise ValueError(f"write_groups must add up to columns = {columns}, not {write_groups}")
        if adc_shift < 0:
            raise ValueError(f"adc_shift must be at least 0, not {adc_shift!r}")
        self.rows = rows
        self.columns = columns
        self.sharing = sharing
        self.adc_type = adc_type
        self.adc_bits = adc_bits
        self.adc_shift = adc_shift
        self.input_bits = input_bits
        self.write_groups = write_groups
        self.conversion = conversion_cycles(adc_type, adc_bits)
        self.shape = TileShape(
            rows=rows,
            columns=columns,
            sharing=sharing,
            is_sar=int(adc_type == "sar"),
            adc_bits=adc_bits,
            adc_shift=adc_shift,
            input_bits=input_bits,
            write_groups=len(write_groups),
        )
        self.lanes = self.shape.readout.lanes
        self.cycles = self.shape.cycles
        self.peak = self.shape.peak
        if self.peak == 0:
            raise ValueError(f"adc_shift must leave something of {rows} rows, not {adc_shift!r}")
        sums = data.ArrayLayout(range(-self.peak, self.peak + 1), columns)
        write = data.StructLayout({
            "valid": 1,
            "enable": len(write_groups),
            "positive": columns,
            "negative": columns,
        })
        super().__init__({
            "write": In(write),
            "i": In(stream.Signature(data.ArrayLayout(input_bits, rows))),
            "o": Out(stream.Signature(sums)),
        })

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

        inputs = [Value.cast(self.i.payload[r]) for r in range(self.rows)]
        plane_bits = [Cat(x[self.input_bits - 1 - p] for x in inputs) for p in range(len(plane))]
        ones = Signal(self.rows)
        m.d.comb += ones.eq(one_hot_mux(plane, plane_bits))
        ones_part = Signal(self.lanes)
        m.d.comb += ones_part.eq(one_hot_mux(part, self._parts(ones)))
        selects = Signal(len(share) * len(part))
        m.d.comb += selects.eq(Cat(share & turn.replicate(len(share)) for turn in part))

        for first in range(0, self.columns, self.sharing):
            codes = []
            for polarity, cells in (("positive", positive), ("negative", negative)):
                readout = Readout(
                    rows=self.rows,
                    adc_type=self.adc_type,
                    adc_bits=self.adc_bits,
                    adc_shift=self.adc_shift,
                )
                m.submodules[f"{polarity}_{first // self.sharing}"] = place(readout, platform)
                m.d.comb += readout.i.eq(self._visible(cells, first, selects) & ones_part)
                m.d.comb += readout.is_first.eq(part[0])
                m.d.comb += readout.advance.eq(advance)
                codes.append(readout.o)
            self._shift_add(m, first, codes, converted, plane[0])

        is_last = is_last_part & is_last_share & is_last_plane
        m.d.comb += self.i.ready.eq(is_last & (~self.o.valid | self.o.ready))
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & is_last)
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

    def _turn(self, m: Module, name: str, length: int, step: Value) -> tuple[Value, Value]:
        """A one-hot counter that starts at bit 0, and whether it stands at its last bit."""
        if length == 1:
            return Const(1, 1), Const(1, 1)
        turn = Signal(length, init=1, name=name)
        with m.If(step):
            m.d.sync += turn.eq(turn.rotate_left(1))
        return turn, turn[-1]

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
        peak_range = range(-self.peak, self.peak + 1)
        ring = [
            Signal(peak_range, name=f"sum_{first + s}", reset_less=True)
            for s in range(self.sharing)
        ]
        total = Signal(peak_range, name=f"total_{first}")
        code = (codes[0] - codes[1]) << self.adc_shift
        m.d.comb += total.eq(Mux(is_first_plane, 0, ring[0] << 1) + code)
        with m.If(converted):
            for here, following in zip(ring, [*ring[1:], total], strict=True):
                m.d.sync += here.eq(following)
        for s, value in enumerate(ring):
            m.d.comb += self.o.payload[first + s].eq(value)
