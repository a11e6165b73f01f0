"""Bytes of a line to the requests of a host: only those that are whole."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc import Processor
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from kakure.model.link.frames import HEAD, REQUEST, TAIL

__all__ = ["FRAMED", "HEADER", "RequestReader"]

WORD = 32
FRAMED = data.StructLayout({"word": WORD, "last": 1})
"""A word, and whether it is the last of a request that says ``is_last``."""

HEADER = data.StructLayout({"op": 6, "is_last": 1, "turn": 1, "argument": 8, "count": 8})
"""The second to the fourth byte of a request."""


class RequestReader(wiring.Component):
    """Finds a request among bytes, and checks it.

    Parameters
    ----------
    gap : int, at least 2
        Cycles without a byte after which a request that has begun is damaged.

    Members
    -------
    has_byte, byte : In
        A byte, in this cycle.
    is_open : ``In(1)``
        Bytes are looked at.
    header : ``Out(HEADER)``
        Of the request; stays until the next one begins.
    has_header : ``Out(1)``
        It is there since this cycle.
    words : ``Out(stream.Signature(FRAMED))``
        Its words as they come, each for a cycle: whoever wants them has room.
    is_done : ``Out(1)``
        A request has ended, well or not.
    is_whole : ``Out(1)``
        With ``is_done``: it is as it was sent.

    Timing
    ------
    ``header`` is there before the first word. ``is_done`` comes in the cycle after the last byte,
    or ``gap`` cycles after the last one that came.

    Raises
    ------
    ValueError
        If ``gap`` is below 2.
    """

    has_byte: Signal
    byte: Signal
    is_open: Signal
    header: Any
    has_header: Signal
    words: stream.Interface
    is_done: Signal
    is_whole: Signal

    def __init__(self, *, gap: int) -> None:
        if gap < 2:
            raise ValueError(f"gap must be at least 2, not {gap!r}")
        self.gap = gap
        super().__init__({
            "has_byte": In(1),
            "byte": In(8),
            "is_open": In(1),
            "header": Out(HEADER),
            "has_header": Out(1),
            "words": Out(stream.Signature(FRAMED, always_ready=True)),
            "is_done": Out(1),
            "is_whole": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        crc: Any = Processor(CRC32_ISO_HDLC(data_width=8))
        m.submodules.crc = crc
        enters = Signal()
        at = Signal(2)
        left = Signal(8)
        word = Signal(WORD)
        quiet = Signal(range(self.gap + 1))
        is_cut = Signal()
        m.d.comb += [
            enters.eq(self.has_byte & self.is_open),
            crc.valid.eq(enters),
            crc.data.eq(self.byte),
            is_cut.eq(quiet == self.gap),
            self.words.payload.word.eq(Cat(word[8:], self.byte)),
            self.words.payload.last.eq(self.header.is_last & (left == 1)),
        ]
        m.d.sync += [self.has_header.eq(0), at.eq(at + enters), quiet.eq(quiet + ~is_cut)]
        with m.If(enters):
            m.d.sync += [quiet.eq(0), word.eq(Cat(word[8:], self.byte))]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.start.eq(1)
                m.d.sync += at.eq(1)
                with m.If(enters & (self.byte == REQUEST)):
                    m.next = "HEAD"
            with m.State("HEAD"):
                with m.If(enters):
                    header = Value.cast(self.header)
                    m.d.sync += header.eq(Cat(header[8:], self.byte))
                    with m.If(at == HEAD - 1):
                        m.d.sync += [left.eq(self.byte), self.has_header.eq(1)]
                        m.next = "WORDS"
                        with m.If(self.byte == 0):
                            m.next = "TAIL"
                with m.Elif(is_cut):
                    m.next = "END"
            with m.State("WORDS"):
                with m.If(enters):
                    with m.If(at == 3):
                        m.d.comb += self.words.valid.eq(1)
                        m.d.sync += left.eq(left - 1)
                        with m.If(left == 1):
                            m.next = "TAIL"
                with m.Elif(is_cut):
                    m.next = "END"
            with m.State("TAIL"):
                with m.If((enters & (at == TAIL - 1)) | (~enters & is_cut)):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += [
                    self.is_done.eq(1),
                    self.is_whole.eq(crc.match_detected & (at == 0) & ~is_cut),
                ]
                m.next = "IDLE"
        return m
