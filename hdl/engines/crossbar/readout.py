"""Readouts: the digital counterparts of a crossbar's flash and SAR converters."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.hierarchy import place

from .readout_shape import ReadoutShape

__all__ = ["Readout", "conversion_cycles"]


def conversion_cycles(adc_type: str, adc_bits: int) -> int:
    """Cycles of one conversion: 1 for flash, ``adc_bits`` for sar.

    Raises
    ------
    ValueError
        If ``adc_type`` is neither, or ``adc_bits`` is below 1.
    """
    if adc_type not in ("flash", "sar"):
        raise ValueError(f"adc_type must be 'flash' or 'sar', not {adc_type!r}")
    if adc_bits < 1:
        raise ValueError(f"adc_bits must be at least 1, not {adc_bits!r}")
    return ReadoutShape(1, int(adc_type == "sar"), adc_bits, 0).cycles


class Readout(wiring.Component):
    """Code of one column's count, min((count + 2^(s−1)) >> s, 2^AP − 1) with s = ``adc_shift``.

    ``flash`` counts all rows at once. ``sar`` counts ⌈rows / AP⌉ rows a cycle with a tree of that
    size and adds up, saturating: the same code, AP cycles, about 1/AP of the tree.

    Bit-equal to :func:`kakure.model.reference.crossbar.adc`.

    Parameters
    ----------
    rows : int, at least 1
        Rows R of the column.
    adc_type : "flash" or "sar"
    adc_bits : int, at least 1
        Width of a code, AP [bit].
    adc_shift : int, at least 0
        Bits dropped from the count, rounded half up.

    Attributes
    ----------
    cycles : int
        Cycles per conversion.
    lanes : int
        Rows counted in one cycle. In cycle k they are rows k·lanes .. (k + 1)·lanes − 1.

    Members
    -------
    i : ``In(lanes)``
        The cells of this cycle's rows, each ANDed with its row's input bit; 0 beyond the last row.
    is_first : ``In(1)``
        First cycle of a conversion.
    advance : ``In(1)``
        The cycle counts; in a cycle with 0 nothing changes.
    o : ``Out(adc_bits)``
        The code, in the last cycle of the conversion (combinational).

    Timing
    ------
    One conversion per ``cycles`` cycles that advance: 1 for flash, ``adc_bits`` for sar.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Source
    ------
    Ours. The trade of time against area is that of Moitra et al., XPert, DAC 2023.
    """

    i: Signal
    is_first: Signal
    advance: Signal
    o: Signal

    def __init__(self, *, rows: int, adc_type: str, adc_bits: int, adc_shift: int = 0) -> None:
        if rows < 1:
            raise ValueError(f"rows must be at least 1, not {rows!r}")
        if adc_shift < 0:
            raise ValueError(f"adc_shift must be at least 0, not {adc_shift!r}")
        self.rows = rows
        self.adc_type = adc_type
        self.adc_bits = adc_bits
        self.adc_shift = adc_shift
        self.cycles = conversion_cycles(adc_type, adc_bits)
        self.shape = ReadoutShape(rows, int(adc_type == "sar"), adc_bits, adc_shift)
        self.lanes = self.shape.lanes
        super().__init__({
            "i": In(self.lanes),
            "is_first": In(1),
            "advance": In(1),
            "o": Out(adc_bits),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        popcount = Popcount(lanes=self.lanes, cap_bits=self.shape.cap_bits)
        m.submodules.popcount = place(popcount, platform)
        m.d.comb += popcount.i.eq(self.i)

        count: Value = popcount.o
        if self.cycles > 1:
            so_far = Signal(self.shape.sum_bits, reset_less=True)
            total = Signal(len(so_far) + 1)
            m.d.comb += total.eq(Mux(self.is_first, 0, so_far) + popcount.o)
            count = total[:-1] | total[-1].replicate(len(so_far))
            with m.If(self.advance):
                m.d.sync += so_far.eq(count)

        m.d.comb += self.o.eq(self._round(count))
        return m

    def _round(self, count: Value) -> Value:
        """Drop ``adc_shift`` bits, rounding half up, and saturate."""
        if self.adc_shift == 0:
            return count
        code = (count + (1 << (self.adc_shift - 1))) >> self.adc_shift
        return Mux(code[self.adc_bits :].any(), (1 << self.adc_bits) - 1, code)
