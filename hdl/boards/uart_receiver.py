"""Bytes from a serial line: 8 data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver"]


class UartReceiver(wiring.Component):
    """Samples each bit in its middle. A byte without its stop bit is dropped.

    Parameters
    ----------
    divisor : int, at least 4
        Cycles of a bit.

    Members
    -------
    rx : ``In(1)``
        The line, 1 where nothing is sent; of any clock.
    has_byte : ``Out(1)``
        There is a byte in this cycle, and in no other.
    byte : ``Out(8)``

    Timing
    ------
    Two cycles of synchronization; a byte is there in the middle of its stop bit, so that the next
    may come at once, and the other end's clock may be off by 4 %.

    Raises
    ------
    ValueError
        If ``divisor`` is below 4.
    """

    rx: Signal
    has_byte: Signal
    byte: Signal

    def __init__(self, *, divisor: int) -> None:
        if divisor < 4:
            raise ValueError(f"divisor must be at least 4, not {divisor!r}")
        self.divisor = divisor
        super().__init__({"rx": In(1), "has_byte": Out(1), "byte": Out(8)})

    def elaborate(self, platform) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.line = FFSynchronizer(self.rx, line, init=1)
        wait = Signal(range(self.divisor))
        bits_left = Signal(range(9))
        m.d.sync += [self.has_byte.eq(0), wait.eq(wait - 1)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += wait.eq(self.divisor // 2 - 1)
                with m.If(~line):
                    m.next = "START"
            with m.State("START"):
                with m.If(wait == 0):
                    m.d.sync += [wait.eq(self.divisor - 1), bits_left.eq(8)]
                    m.next = "DATA"
                with m.If(line):  # a spike
                    m.next = "IDLE"
            with m.State("DATA"), m.If(wait == 0):
                m.d.sync += [
                    wait.eq(self.divisor - 1),
                    self.byte.eq(Cat(self.byte[1:], line)),
                    bits_left.eq(bits_left - 1),
                ]
                with m.If(bits_left == 1):
                    m.next = "STOP"
            with m.State("STOP"), m.If(wait == 0):
                m.d.sync += self.has_byte.eq(line)
                m.next = "HIGH"
            with m.State("HIGH"), m.If(line):  # where the stop bit is missing, wait for the line
                m.next = "IDLE"
        return m
