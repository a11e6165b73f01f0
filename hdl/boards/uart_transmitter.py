"""Bytes onto a serial line: 8 data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["UartTransmitter"]

BITS = 10
"""Of a byte on the line: start, data, stop."""


class UartTransmitter(wiring.Component):
    """Sends a byte after the other.

    Parameters
    ----------
    divisor : int, at least 2
        Cycles of a bit.

    Members
    -------
    i : ``In(stream.Signature(8))``
    tx : ``Out(1)``
        The line, 1 where nothing is sent.

    Timing
    ------
    A byte takes ten times ``divisor`` cycles, and one more until the next begins.

    Raises
    ------
    ValueError
        If ``divisor`` is below 2.
    """

    i: stream.Interface
    tx: Signal

    def __init__(self, *, divisor: int) -> None:
        if divisor < 2:
            raise ValueError(f"divisor must be at least 2, not {divisor!r}")
        self.divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        wait = Signal(range(self.divisor))
        bits_left = Signal(range(BITS + 1))
        line = Signal(BITS, init=-1)
        m.d.comb += [self.tx.eq(line[0]), self.i.ready.eq(bits_left == 0)]
        with m.If(self.i.ready):
            with m.If(self.i.valid):
                m.d.sync += [
                    line.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1))),
                    wait.eq(self.divisor - 1),
                    bits_left.eq(BITS),
                ]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += [
                line.eq(Cat(line[1:], Const(1, 1))),
                wait.eq(self.divisor - 1),
                bits_left.eq(bits_left - 1),
            ]
        return m
