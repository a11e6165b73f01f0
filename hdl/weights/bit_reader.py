"""Reading fields of any size from a stream of words."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layer_weights import WORD
from .weight_generator_shape import BitReaderShape

__all__ = ["BitReader"]


class BitReader(wiring.Component):
    """The bits of 32-bit words in order, least significant first, ``size`` at a time.

    Holds one word and how much of it was read; a field may reach into the word at ``i``. A word
    is taken in the cycle that reads its first bit, never before: what is not needed stays outside.

    Members
    -------
    i : ``In(stream.Signature(32))``
        Words.
    size : ``In(range(33))``
        Bits of the next field, 0 .. 32; hold while the field is offered.
    o : ``Out(stream.Signature(32))``
        The field in the lowest ``size`` bits, above it whatever follows in the words.
    flush : ``In(1)``
        Forget the rest of the word; no word is taken and no field offered meanwhile.

    Timing
    ------
    Combinational from ``i`` to ``o``; one field per cycle.
    """

    i: stream.Interface
    size: Signal
    o: stream.Interface
    flush: Signal

    def __init__(self) -> None:
        self.shape = BitReaderShape()
        super().__init__({
            "i": In(stream.Signature(WORD)),
            "size": In(range(WORD + 1)),
            "o": Out(stream.Signature(WORD)),
            "flush": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        word = Signal(WORD, reset_less=True)
        used = Signal(range(WORD + 1), init=WORD)  # bits of ``word`` already read
        end = Signal(range(2 * WORD + 1))
        needs_word = Signal()
        m.d.comb += end.eq(used + self.size)
        m.d.comb += needs_word.eq(end > WORD)
        m.d.comb += self.o.payload.eq(Cat(word, self.i.payload) >> used)
        m.d.comb += self.o.valid.eq(~self.flush & (~needs_word | self.i.valid))
        m.d.comb += self.i.ready.eq(~self.flush & needs_word & self.o.ready)

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += word.eq(self.i.payload)
        with m.If(self.flush):
            m.d.sync += used.eq(WORD)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += used.eq(Mux(needs_word, end - WORD, end))

        return m
