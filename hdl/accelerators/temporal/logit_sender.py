"""Results on a stream: logits of as many classes as a program says, or the class."""

from typing import Any, ClassVar

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.accelerators.two_largest import TwoLargest
from kakure.hdl.bus.register_map import THRESHOLD_BITS
from kakure.model.parameters.parameters import OFFSET_BITS

from .logit_sender_shape import LogitSenderShape
from .logit_store import LogitStore
from .widths import CHANNEL_BITS

__all__ = ["LogitSender", "sender_cycles"]


class LogitSender(wiring.Component):
    """Keeps the logits of an image, ``outputs`` at a time, and then sends them, or their class.

    Bit-equal to :func:`kakure.model.reference.network.network` and
    :func:`kakure.model.reference.network.classify`.

    Parameters
    ----------
    outputs : int
        Logits that come at once.
    depth : int
        How often they may come for an image.
    judges : bool
        Whether a result may be judged before it is sent, as
        :class:`~kakure.hdl.accelerators.result_judge.ResultJudge` does.

    Members
    -------
    last_class : ``In``
        Classes, but one. Stays.
    sends_class, may_send, must_drop
        As those of :class:`~kakure.hdl.accelerators.result_sender.ResultSender`.
    i : ``In(struct)``
        In a cycle with ``valid``, the next ``values``.
    threshold, has_more, again
        Where it judges, as those of that: a result of two classes at least is judged if, in the
        cycle of ``is_complete``, ``has_more``.
    is_complete : ``In(1)``
        In this cycle the logits of an image are complete; not before the last result has gone.
    is_busy : ``Out(1)``
        A result has not gone.
    ends : ``Out(1)``
        In this cycle the result goes.
    o : ``Out(stream)`` of ``word``, ``last``
        A signed logit per word, or the class.

    Timing
    ------
    As :func:`sender_cycles` says, from the cycle after ``is_complete``, where ``o`` is taken at
    once, and a result may be sent. Judging takes as many cycles, and one to decide.
    """

    unnamed: ClassVar = {"judges": False}

    last_class: Signal
    sends_class: Signal
    may_send: Signal
    must_drop: Signal
    i: Any
    threshold: Signal
    has_more: Signal
    again: Signal
    is_complete: Signal
    is_busy: Signal
    ends: Signal
    o: stream.Interface

    def __init__(self, *, outputs: int, depth: int, judges: bool = False) -> None:
        self.judges = judges
        self.outputs = outputs
        self.depth = depth
        self.shape = LogitSenderShape(outputs, depth)
        logits = data.ArrayLayout(signed(OFFSET_BITS), outputs)
        judged = {"threshold": In(THRESHOLD_BITS), "has_more": In(1), "again": Out(1)}
        super().__init__({
            **(judged if judges else {}),
            "last_class": In(CHANNEL_BITS),
            "sends_class": In(1),
            "may_send": In(1),
            "must_drop": In(1),
            "i": In(data.StructLayout({"valid": 1, "values": logits})),
            "is_complete": In(1),
            "is_busy": Out(1),
            "ends": Out(1),
            "o": Out(stream.Signature(data.StructLayout({"word": 32, "last": 1}))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        store = LogitStore(outputs=self.outputs, depth=self.depth, last_class=self.last_class)
        two = TwoLargest(OFFSET_BITS)
        store.build(m, platform, self.i)
        with m.FSM():
            with m.State("IDLE"), m.If(self.is_complete):
                m.next = "WAIT"
                if self.judges:
                    with m.If(self.has_more & (self.last_class != 0)):
                        m.next = "ASK"
            if self.judges:
                self._judge(m, store, two)
            self._send(m, store, two.largest)
        return m

    def _judge(self, m: Module, store: LogitStore, two: TwoLargest) -> None:
        """States that find the two largest logits, and whether the image is to be tried again."""
        with m.State("ASK"):
            m.d.comb += [self.is_busy.eq(1), store.reads.eq(1)]
            m.d.sync += store.read.eq(store.read + 1)
            m.next = "JUDGE"
        with m.State("JUDGE"):
            m.d.comb += self.is_busy.eq(1)
            store.step(m)
            two.take(m, store.logit, is_first=store.number == 0)
            store.end_word(m, "ASK")
            with m.If(store.is_last):
                m.d.sync += store.begin()
                m.next = "DECIDE"
        with m.State("DECIDE"):
            m.d.comb += self.is_busy.eq(1)
            m.next = "WAIT"
            with m.If(~two.is_clear(self.threshold) & ~self.must_drop):
                m.d.comb += self.again.eq(1)
                m.d.sync += store.forget()
                m.next = "IDLE"

    def _send(self, m: Module, store: LogitStore, largest: Signal) -> None:
        """States that send the logits, or find their class and send that."""
        number, logit = store.number, store.logit
        best = Signal(CHANNEL_BITS, reset_less=True)
        is_class = Signal()
        is_better = (number == 0) | (logit > largest)
        winner = Mux(is_better, number, best)
        m.d.comb += self.o.payload.word.eq(Mux(is_class, winner, Cat(logit)))
        m.d.comb += self.o.payload.last.eq(store.is_last)

        def stop() -> None:
            m.d.comb += self.ends.eq(1)
            m.d.sync += store.forget()
            m.next = "IDLE"

        with m.State("WAIT"):
            m.d.comb += self.is_busy.eq(1)
            m.d.comb += store.reads.eq(self.may_send)
            m.d.sync += is_class.eq(self.sends_class)
            with m.If(self.may_send):
                m.d.sync += store.read.eq(1)
                m.next = "SEND"
            with m.Elif(self.must_drop):
                stop()
        with m.State("READ"):
            m.d.comb += [self.is_busy.eq(1), store.reads.eq(1)]
            m.d.sync += store.read.eq(store.read + 1)
            m.next = "SEND"
        with m.State("SEND"):
            m.d.comb += self.is_busy.eq(1)
            m.d.comb += self.o.valid.eq(~is_class | store.is_last)
            with m.If(~self.o.valid | self.o.ready):
                store.step(m)
                m.d.sync += [largest.eq(Mux(is_better, logit, largest)), best.eq(winner)]
                store.end_word(m, "READ")
                with m.If(store.is_last):
                    stop()


def sender_cycles(classes: int, outputs: int) -> int:
    """Cycles from the one after ``is_complete`` to that of the last word, both included."""
    return classes + -(-classes // outputs)
