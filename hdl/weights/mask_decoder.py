"""Decoder of the supermask stream: raw bits or zero runs, to mask words."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .bit_reader import BitReader
from .layer_weights import WORD
from .weight_generator_shape import MAX_TOKEN, MaskDecoderShape

__all__ = ["MAX_TOKEN", "MaskDecoder"]


class MaskDecoder(wiring.Component):
    """Mask words of one layer from its coded bits.

    ``token`` 0: the bits are the mask. Else tokens of ``token`` bits: t < 2^token − 1 stands for
    t zeros and a one, t = 2^token − 1 for that many zeros. Words may differ in width; runs go on
    from one word into the next. A code word is taken only when one of its bits is needed.

    Bit-equal to :func:`kakure.model.reference.masks.decode_mask`.

    Members
    -------
    i : ``In(stream.Signature(32))``
        Coded mask, first bit least significant.
    token : ``In(range(6))``
        Coding, 0 .. 5; hold while a layer is decoded.
    width : ``In(range(33))``
        Bits of the word wanted, 1 .. 32; hold until that word is taken.
    o : ``Out(stream.Signature(32))``
        Mask word, the first bit least significant, 0 above its width.
    flush : ``In(1)``
        Between layers, one cycle or longer: forget the bits left over. No word is taken and none
        offered meanwhile.

    Timing
    ------
    Combinational from ``i`` to ``o``. Raw: one mask word per cycle. Zero runs: one token per
    cycle, and one cycle more for each word that ends inside a token's bits: as many cycles as
    there are distinct places where a token or a word ends
    (:func:`kakure.hdl.weights.loading_time.mask_cycles`).

    Source
    ------
    Zero-run-length supermasks: Hirose et al., Hiddenite, ISSCC 2022.
    """

    i: stream.Interface
    token: Signal
    width: Signal
    o: stream.Interface
    flush: Signal

    def __init__(self) -> None:
        self.shape = MaskDecoderShape()
        super().__init__({
            "i": In(stream.Signature(WORD)),
            "token": In(range(MAX_TOKEN + 1)),
            "width": In(range(WORD + 1)),
            "o": Out(stream.Signature(WORD)),
            "flush": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        reader = BitReader()
        m.submodules.reader = place(reader, platform)
        wiring.connect(m, wiring.flipped(self.i), reader.i)
        m.d.comb += reader.flush.eq(self.flush)

        with m.If(self.token == 0):
            m.d.comb += [
                reader.size.eq(self.width),
                self.o.payload.eq(reader.o.payload & _ones(self.width, WORD)),
                self.o.valid.eq(reader.o.valid),
                reader.o.ready.eq(self.o.ready),
            ]
        with m.Else():
            self._decode_runs(m, reader)

        return m

    def _decode_runs(self, m: Module, reader: BitReader) -> None:
        """Each cycle a token, or what is left of one, up to the end of the word."""
        value = Signal(MAX_TOKEN)
        longest = _ones(self.token, MAX_TOKEN)
        m.d.comb += reader.size.eq(self.token)
        m.d.comb += value.eq(reader.o.payload & longest)

        is_rest = Signal()  # zeros, then perhaps a one, are left of the token before
        rest_zeros = Signal(MAX_TOKEN, reset_less=True)
        rest_one = Signal(reset_less=True)
        zeros = Mux(is_rest, rest_zeros, value)
        has_one = Mux(is_rest, rest_one, value != longest)

        word = Signal(WORD)  # the ones so far of the word that is being made
        filled = Signal(range(WORD))  # its bits so far
        at = Signal(range(WORD - 1 + (1 << MAX_TOKEN)))  # where the zeros end
        is_beyond = at >= self.width
        ends_word = is_beyond | (has_one & (at + 1 == self.width))
        new_word = word | ((has_one & ~is_beyond) << at)[:WORD]
        m.d.comb += at.eq(filled + zeros)
        m.d.comb += self.o.payload.eq(new_word)
        m.d.comb += self.o.valid.eq(~self.flush & (is_rest | reader.o.valid) & ends_word)
        m.d.comb += reader.o.ready.eq(~is_rest & (~ends_word | self.o.ready))

        with m.If(self.flush | (self.o.valid & self.o.ready)):
            m.d.sync += word.eq(0)
            m.d.sync += filled.eq(0)
            m.d.sync += is_rest.eq(~self.flush & is_beyond & (has_one | (at != self.width)))
            m.d.sync += rest_zeros.eq(at - self.width)
            m.d.sync += rest_one.eq(has_one)
        with m.Elif((is_rest | reader.o.valid) & ~ends_word):
            m.d.sync += word.eq(new_word)
            m.d.sync += filled.eq(at + has_one)
            m.d.sync += is_rest.eq(0)


def _ones(count: Value, bits: int) -> Value:
    """2^count − 1, in ``bits`` bits."""
    return Cat(count > bit for bit in range(bits))
