"""What crossbar tiles have in common, whatever their cells are: parameters, ports, turns."""

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, ShapeLike, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .readout import Readout, conversion_cycles
from .tile_shape import TileShape

__all__ = ["TileComponent", "one_hot_mux"]


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


class TileComponent(wiring.Component, ABC):
    """Sums of hidden weights over up to ``rows`` inputs for ``columns`` outputs.

    A column holds a positive and a negative cell per row. For each input bit-plane, most
    significant first, and each group of columns in turn, both polarities are counted by a
    saturating readout, and acc ← 2·acc + (code⁺ − code⁻)·2^s. Exact but for the readouts.

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
    conversion : int
        Cycles of a conversion, 1 for flash, AP for sar.
    lanes : int
        Rows that are counted in a cycle.
    cycles : int
        Cycles per vector, IP · CS · ``conversion``.
    peak : int
        Largest magnitude of a sum.

    Members
    -------
    write : ``In(struct)``
        Writes rows of cells, ``positive`` and ``negative`` (a bit per column), into the columns of
        the groups with their ``enable`` bit, in a cycle with ``valid``. Never while a vector is in
        flight.
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

    shape_type: ClassVar[type[TileShape]] = TileShape

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
        self.shape = self._shape()
        self.lanes = self.shape.readout.lanes
        self.cycles = self.shape.cycles
        self.peak = self.shape.peak
        if self.peak == 0:
            raise ValueError(f"adc_shift must leave something of {rows} rows, not {adc_shift!r}")
        sums = data.ArrayLayout(range(-self.peak, self.peak + 1), columns)
        super().__init__({
            **self._write_members(),
            "i": In(stream.Signature(data.ArrayLayout(input_bits, rows))),
            "o": Out(stream.Signature(sums)),
        })

    def _write_members(self) -> dict[str, wiring.Member]:
        """Ports that write cells."""
        return {"write": In(self._write_layout())}

    def _write_layout(self, **place: ShapeLike) -> data.StructLayout:
        """A row of cells, and the ``place`` of it."""
        return data.StructLayout({
            "valid": 1,
            "enable": len(self.write_groups),
            **place,
            "positive": self.columns,
            "negative": self.columns,
        })

    def _shape(self) -> TileShape:
        return self.shape_type(
            rows=self.rows,
            columns=self.columns,
            sharing=self.sharing,
            is_sar=int(self.adc_type == "sar"),
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
            input_bits=self.input_bits,
            write_groups=len(self.write_groups),
        )

    def _readout(self) -> Readout:
        return Readout(
            rows=self.rows,
            adc_type=self.adc_type,
            adc_bits=self.adc_bits,
            adc_shift=self.adc_shift,
        )

    def _turn(self, m: Module, name: str, length: int, step: Value) -> tuple[Value, Value]:
        """A one-hot counter that starts at bit 0, and whether it stands at its last bit."""
        if length == 1:
            return Const(1, 1), Const(1, 1)
        turn = Signal(length, init=1, name=name)
        with m.If(step):
            m.d.sync += turn.eq(turn.rotate_left(1))
        return turn, turn[-1]

    def _plane_bits(self, m: Module, plane: Value) -> Signal:
        """The bits of the vector in the plane whose turn it is, a bit per row."""
        inputs = [Value.cast(self.i.payload[r]) for r in range(self.rows)]
        plane_bits = [Cat(x[self.input_bits - 1 - p] for x in inputs) for p in range(len(plane))]
        ones = Signal(self.rows)
        m.d.comb += ones.eq(one_hot_mux(plane, plane_bits))
        return ones

    def _ring(self, first: int) -> list[Signal]:
        """The sums of a readout's columns, the first one ``first``."""
        peak_range = range(-self.peak, self.peak + 1)
        return [
            Signal(peak_range, name=f"sum_{first + s}", reset_less=True)
            for s in range(self.sharing)
        ]

    def _offer(self, m: Module, is_last: Value) -> None:
        """Take the vector in its last cycle, and offer its sums from the next on."""
        m.d.comb += self.i.ready.eq(is_last & (~self.o.valid | self.o.ready))
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & is_last)
