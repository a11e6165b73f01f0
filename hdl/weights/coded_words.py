"""Words of weights out of a coded stream: what both kinds of weights share."""

from abc import ABC

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .mask_decoder import MAX_TOKEN, MaskDecoder
from .weight_generator_shape import WORD

__all__ = ["CodedWords"]


class CodedWords(wiring.Component, ABC):
    """Words of one layer after the other, 32 consecutive outputs of a row at a time.

    A kind of weights is a subclass: it walks through the words, and says what a word's decoded bits
    mean.

    Parameters
    ----------
    job : Layout
        What describes a layer.
    rows, blocks : int, at least 1
        Largest number of rows, and of words in a row.
    values : tuple of str
        What a word holds, 32 bits each.

    Members
    -------
    jobs : ``In(stream)``
        Layers, as ``job`` lays them out.
    token : ``In(range(6))``
        Coding of the layer, as :class:`kakure.hdl.weights.mask_decoder.MaskDecoder` has it; hold
        until its last word is taken.
    tail : ``In(range(33))``
        Outputs in the last block of a row, 1 .. 32; hold as ``token``.
    i : ``In(stream.Signature(32))``
        Coded bits. A word is taken only when one of its bits is needed, so that exactly the words
        of the layer are. ``i.ready`` says so, whether or not there is a word.
    o : ``Out(stream)``
        ``row``, ``block``, ``values`` (bit b is output 32·block + b; 0 where there is no such
        output), ``last`` with the layer's last word.

    Timing
    ------
    Combinational from ``i`` to ``o``; cycles for the coded bits as in
    :class:`kakure.hdl.weights.mask_decoder.MaskDecoder`.
    """

    jobs: stream.Interface
    token: Signal
    tail: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, *, job: data.StructLayout, rows: int, blocks: int, values: tuple[str, ...]
    ) -> None:
        word = data.StructLayout({
            "row": range(rows),
            "block": range(blocks),
            **dict.fromkeys(values, WORD),
            "last": 1,
        })
        super().__init__({
            "jobs": In(stream.Signature(job)),
            "token": In(range(MAX_TOKEN + 1)),
            "tail": In(range(WORD + 1)),
            "i": In(stream.Signature(WORD)),
            "o": Out(stream.Signature(word)),
        })

    def decode(self, m: Module, mask: MaskDecoder, *, is_walking: Value, ends_row: Value) -> None:
        """Tell the decoder which bits are wanted.

        Parameters
        ----------
        is_walking : Value
            1 from a layer's first word to its last.
        ends_row : Value
            The word is its row's last one.
        """
        m.d.comb += [
            mask.flush.eq(~is_walking),
            mask.token.eq(self.token),
            mask.width.eq(Mux(ends_row, self.tail, WORD)),
            mask.o.ready.eq(self.o.ready),
        ]

    def offer(self, m: Module, mask: MaskDecoder, **word: Value) -> None:
        """Offer a word, all parts of it, when its bits are decoded."""
        m.d.comb += self.o.valid.eq(mask.o.valid)
        m.d.comb += [self.o.p[name].eq(value) for name, value in word.items()]
