"""Replies of a board as bytes, with their CRC-32."""

from typing import Any

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc import Processor
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from kakure.model.link.frames import HEAD, REPLY, TAIL

__all__ = ["ReplyWriter"]


class ReplyWriter(wiring.Component):
    """Writes one reply after the other; see :mod:`kakure.model.link.frames`.

    Members
    -------
    start : ``In(1)``
        Begin; not while a reply is written.
    kind, status, count : ``In(8)``
        The second to the fourth byte; they stay until the end.
    words : ``In(stream.Signature(32))``
        ``count`` words are taken.
    o : ``Out(stream.Signature(8))``
    is_done : ``Out(1)``
        The last byte leaves in this cycle.

    Timing
    ------
    A byte per cycle, from the cycle after ``start`` on, as far as words are there.
    """

    start: Signal
    kind: Signal
    status: Signal
    count: Signal
    words: stream.Interface
    o: stream.Interface
    is_done: Signal

    def __init__(self) -> None:
        super().__init__({
            "start": In(1),
            **dict.fromkeys(("kind", "status", "count"), In(8)),
            "words": In(stream.Signature(32)),
            "o": Out(stream.Signature(8)),
            "is_done": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        crc: Any = Processor(CRC32_ISO_HDLC(data_width=8))
        m.submodules.crc = crc
        at = Signal(2)
        left = Signal(8)
        leaves = Signal()
        head = Array([REPLY, self.kind, self.status, self.count])
        m.d.comb += [leaves.eq(self.o.valid & self.o.ready), crc.data.eq(self.o.payload)]
        m.d.sync += at.eq(at + leaves)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.start.eq(1)
                m.d.sync += [at.eq(0), left.eq(self.count)]
                with m.If(self.start):
                    m.next = "HEAD"
            with m.State("HEAD"):
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.payload.eq(head[at]),
                    crc.valid.eq(leaves),
                ]
                with m.If(leaves & (at == HEAD - 1)):
                    m.next = "WORDS"
                    with m.If(left == 0):
                        m.next = "TAIL"
            with m.State("WORDS"):
                m.d.comb += [
                    self.o.valid.eq(self.words.valid),
                    self.o.payload.eq(self.words.payload.word_select(at, 8)),
                    crc.valid.eq(leaves),
                    self.words.ready.eq(self.o.ready & (at == 3)),
                ]
                with m.If(leaves & (at == 3)):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = "TAIL"
            with m.State("TAIL"):
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.payload.eq(crc.crc.word_select(at, 8)),
                    self.is_done.eq(leaves & (at == TAIL - 1)),
                ]
                with m.If(self.is_done):
                    m.next = "IDLE"
        return m
