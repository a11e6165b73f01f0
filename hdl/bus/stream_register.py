"""A place to wait for one payload, so that a stream's ``ready`` comes from a register."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream_register_shape import StreamRegisterShape

__all__ = ["StreamRegister"]


class StreamRegister(wiring.Component):
    """Passes a stream on, and keeps what its reader does not take at once.

    A payload goes through in the cycle in which it is offered. Where it is not taken there, it
    waits in a register, and nothing else is let in. So ``i.ready`` never depends on ``i`` or on
    ``o.ready``, no cycle is lost, and whenever a payload is let in all those before it were taken.

    Parameters
    ----------
    width : int, at least 1
        Bits of a payload.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o : ``Out(stream.Signature(width))``
        The same payloads.
    is_open : ``In(1)``
        Payloads are let in. Must not depend on ``i``.
    is_held : ``Out(1)``
        A payload waits in the register: it was let in and has not been taken.

    Timing
    ------
    Latency 0, a payload per cycle. ``i.ready`` and ``is_held`` come from a register (``i.ready``
    through ``is_open``); ``o`` is combinational from ``i``. A payload that was not taken at once
    is offered from the register, and ``i.ready`` is 1 again in the cycle after it was taken.

    Raises
    ------
    ValueError
        If ``width`` is below 1.
    """

    i: stream.Interface
    o: stream.Interface
    is_open: Signal
    is_held: Signal

    def __init__(self, *, width: int) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width!r}")
        self.width = width
        self.shape = StreamRegisterShape(width)
        super().__init__({
            "i": In(stream.Signature(width)),
            "o": Out(stream.Signature(width)),
            "is_open": In(1),
            "is_held": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        held = Signal(self.width, reset_less=True)  # a reset would cost a gate for each bit
        enters = Signal()
        m.d.comb += [
            self.i.ready.eq(self.is_open & ~self.is_held),
            enters.eq(self.i.valid & self.i.ready),
            self.o.valid.eq(enters | self.is_held),
            self.o.payload.eq(Mux(self.is_held, held, self.i.payload)),
        ]
        m.d.sync += self.is_held.eq(self.o.valid & ~self.o.ready)
        with m.If(enters):
            m.d.sync += held.eq(self.i.payload)
        return m
