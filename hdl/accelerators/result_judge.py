"""Judge of a result: clear enough to be sent, or a reason to try the image with more planes."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import THRESHOLD_BITS

from .result_sender_shape import LOGIT_BITS
from .two_largest import TwoLargest

__all__ = ["ResultJudge"]


class ResultJudge(wiring.Component):
    """Passes a result on where its two largest logits are far enough apart, or nothing is left.

    Equal to :func:`kakure.model.reference.dynamic.settled`.

    Parameters
    ----------
    classes : int, at least 2
        Logits of an image.

    Members
    -------
    i, o : stream of ``ArrayLayout(signed(32), classes)``, In and Out
        Results. Read in place.
    threshold : ``In(32)``
        Least margin, unsigned, of a result that is passed on.
    has_more : ``In(1)``
        The image can be tried with more planes: else its result is passed on at once.
    may_judge : ``In(1)``
        The image was taken as a whole.
    again : ``Out(1)``
        The result is taken and not passed on: the image is to be tried again.

    Timing
    ------
    With ``has_more`` and ``may_judge``, ``o`` or ``again`` come ``classes`` cycles after a result
    is there; without ``has_more`` combinational.

    Raises
    ------
    ValueError
        If ``classes`` is below 2.
    """

    i: stream.Interface
    o: stream.Interface
    threshold: Signal
    has_more: Signal
    may_judge: Signal
    again: Signal

    def __init__(self, *, classes: int) -> None:
        if classes < 2:
            raise ValueError(f"classes must be at least 2, not {classes!r}")
        self.classes = classes
        logits = data.ArrayLayout(signed(LOGIT_BITS), classes)
        super().__init__({
            "i": In(stream.Signature(logits)),
            "o": Out(stream.Signature(logits)),
            "threshold": In(THRESHOLD_BITS),
            "has_more": In(1),
            "may_judge": In(1),
            "again": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        index = Signal(range(self.classes))
        is_judged = Signal()
        two = TwoLargest(LOGIT_BITS)
        logit = Signal(signed(LOGIT_BITS))
        is_clear, passes = Signal(), Signal()
        m.d.comb += [
            logit.eq(self.i.payload[index]),
            is_clear.eq(two.is_clear(self.threshold)),
            passes.eq(~self.has_more | (is_judged & is_clear)),
            self.again.eq(self.i.valid & self.has_more & is_judged & ~is_clear),
            self.o.valid.eq(self.i.valid & passes),
            Value.cast(self.o.payload).eq(Value.cast(self.i.payload)),
            self.i.ready.eq((self.o.ready & passes) | self.again),
        ]
        is_first = index == 0
        is_best = is_first | (logit > two.largest)
        with m.If(self.i.valid & self.has_more & self.may_judge & ~is_judged):
            m.d.sync += two.largest.eq(Mux(is_best, logit, two.largest))
            m.d.sync += index.eq(index + 1)
            two.take(m, logit, is_first=is_first, keeps_largest=False)
            with m.If(index == self.classes - 1):
                m.d.sync += [index.eq(0), is_judged.eq(1)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += is_judged.eq(0)
        return m
