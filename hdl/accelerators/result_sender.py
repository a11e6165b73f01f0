"""Results on a stream: the logits of an image one by one, or its class."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .result_sender_shape import LOGIT_BITS, ResultSenderShape

__all__ = ["ResultSender"]


class ResultSender(wiring.Component):
    """Walks the logits of an image: sends each, or only the class, the first of the largest.

    Bit-equal to :func:`kakure.model.reference.network.network` and
    :func:`kakure.model.reference.network.classify`.

    Parameters
    ----------
    classes : int, at least 1
        Logits of an image.

    Members
    -------
    sends_class : ``In(1)``
        Send the class instead of the logits: taken in the cycle before a result may be sent, and
        kept until its last word is taken.
    may_send : ``In(1)``
        The result at ``i`` may be sent. Must stay until it is.
    must_drop : ``In(1)``
        The result at ``i`` is taken and not sent. Never in the middle of a result.
    i : ``In(stream.Signature(ArrayLayout(signed(32), classes)))``
        The logits. Read in place: taken with the last one.
    o : ``Out(stream.Signature(StructLayout({"word": 32, "last": 1})))``
        A signed logit per word, class 0 first, ``last`` with the last; or one word, the class.

    Timing
    ------
    ``classes`` cycles for each image, either way, when ``o`` is taken at once; one for
    a dropped result. Combinational.

    Raises
    ------
    ValueError
        If ``classes`` is below 1.
    """

    sends_class: Signal
    may_send: Signal
    must_drop: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, classes: int) -> None:
        if classes < 1:
            raise ValueError(f"classes must be at least 1, not {classes!r}")
        self.classes = classes
        self.shape = ResultSenderShape(classes)
        super().__init__({
            "sends_class": In(1),
            "may_send": In(1),
            "must_drop": In(1),
            "i": In(stream.Signature(data.ArrayLayout(signed(LOGIT_BITS), classes))),
            "o": Out(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        index = Signal(range(self.classes))
        largest = Signal(signed(LOGIT_BITS), reset_less=True)
        best = Signal(range(self.classes), reset_less=True)
        is_last = index == self.classes - 1

        logit = Signal(signed(LOGIT_BITS))
        m.d.comb += logit.eq(self.i.payload[index])
        is_better = Signal()
        m.d.comb += is_better.eq((index == 0) | (logit > largest))
        winner = Signal(range(self.classes))
        m.d.comb += winner.eq(Mux(is_better, index, best))

        # What a word is may not change while it is offered, so neither may the mode of a result.
        is_offered = Signal()
        is_class = Signal()
        m.d.comb += is_offered.eq(self.i.valid & self.may_send)
        with m.If(~is_offered | self.i.ready):
            m.d.sync += is_class.eq(self.sends_class)

        m.d.comb += self.o.payload.word.eq(Mux(is_class, winner, logit))
        m.d.comb += self.o.payload.last.eq(is_last)
        m.d.comb += self.o.valid.eq(is_offered & (is_last | ~is_class))
        step = Signal()
        m.d.comb += step.eq(is_offered & (~self.o.valid | self.o.ready))
        m.d.comb += self.i.ready.eq((step & is_last) | self.must_drop)
        with m.If(step):
            m.d.sync += index.eq(Mux(is_last, 0, index + 1))
            m.d.sync += largest.eq(Mux(is_better, logit, largest))
            m.d.sync += best.eq(winner)
        return m
