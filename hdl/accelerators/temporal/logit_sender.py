"""Results on a stream: logits of as many classes as a program says, or the class."""

from typing import Any, ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import THRESHOLD_BITS
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.model.parameters.parameters import OFFSET_BITS

from .logit_sender_shape import LogitSenderShape
from .widths import CHANNEL_BITS, MEMORY_CELLS

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
        write, read = (Signal(range(max(self.depth, 2)), name=name) for name in ("write", "read"))
        reads = Signal()
        with m.If(self.i.valid):
            m.d.sync += write.eq(write + 1)
        kept = self._kept(m, platform, write, read, reads)
        lane, number = Signal(range(self.outputs)), Signal(CHANNEL_BITS)
        largest = Signal(signed(OFFSET_BITS), reset_less=True)
        best = Signal(CHANNEL_BITS, reset_less=True)
        is_class = Signal()
        logit = Signal(signed(OFFSET_BITS))
        words = [kept.word_select(n, OFFSET_BITS) for n in range(self.outputs)]
        m.d.comb += logit.eq(Array(words)[lane])
        is_last = number == self.last_class
        is_better = (number == 0) | (logit > largest)
        winner = Mux(is_better, number, best)
        m.d.comb += self.o.payload.word.eq(Mux(is_class, winner, Cat(logit)))
        m.d.comb += self.o.payload.last.eq(is_last)

        def forget() -> None:
            m.d.sync += [write.eq(0), read.eq(0), lane.eq(0), number.eq(0)]
            m.next = "IDLE"

        def stop() -> None:
            m.d.comb += self.ends.eq(1)
            forget()

        with m.FSM():
            with m.State("IDLE"), m.If(self.is_complete):
                m.next = "WAIT"
                if self.judges:
                    with m.If(self.has_more & (self.last_class != 0)):
                        m.next = "ASK"
            if self.judges:
                second = Signal(signed(OFFSET_BITS), reset_less=True)
                with m.State("ASK"):
                    m.d.comb += [self.is_busy.eq(1), reads.eq(1)]
                    m.d.sync += read.eq(read + 1)
                    m.next = "JUDGE"
                with m.State("JUDGE"):
                    m.d.comb += self.is_busy.eq(1)
                    m.d.sync += [number.eq(number + 1), lane.eq(lane + 1)]
                    with m.If(number == 0):
                        m.d.sync += [largest.eq(logit), second.eq(-1 << (OFFSET_BITS - 1))]
                    with m.Elif(logit > largest):
                        m.d.sync += [largest.eq(logit), second.eq(largest)]
                    with m.Elif(logit > second):
                        m.d.sync += second.eq(logit)
                    with m.If(lane == self.outputs - 1):
                        m.d.sync += lane.eq(0)
                        m.next = "ASK"
                    with m.If(is_last):
                        m.d.sync += [read.eq(0), lane.eq(0), number.eq(0)]
                        m.next = "DECIDE"
                with m.State("DECIDE"):
                    m.d.comb += self.is_busy.eq(1)
                    is_clear = (largest - second).as_unsigned() >= self.threshold
                    m.next = "WAIT"
                    with m.If(~is_clear & ~self.must_drop):
                        m.d.comb += self.again.eq(1)
                        forget()
            with m.State("WAIT"):
                m.d.comb += self.is_busy.eq(1)
                m.d.comb += reads.eq(self.may_send)
                m.d.sync += is_class.eq(self.sends_class)
                with m.If(self.may_send):
                    m.d.sync += read.eq(1)
                    m.next = "SEND"
                with m.Elif(self.must_drop):
                    stop()
            with m.State("READ"):
                m.d.comb += [self.is_busy.eq(1), reads.eq(1)]
                m.d.sync += read.eq(read + 1)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.is_busy.eq(1)
                m.d.comb += self.o.valid.eq(~is_class | is_last)
                with m.If(~self.o.valid | self.o.ready):
                    m.d.sync += [number.eq(number + 1), lane.eq(lane + 1)]
                    m.d.sync += [largest.eq(Mux(is_better, logit, largest)), best.eq(winner)]
                    with m.If(lane == self.outputs - 1):
                        m.d.sync += lane.eq(0)
                        m.next = "READ"
                    with m.If(is_last):
                        stop()
        return m

    def _kept(
        self, m: Module, platform: Platform | None, write: Signal, read: Signal, reads: Signal
    ) -> Value:
        """The word of logits read last: of a memory, or of a register that has them all."""
        width = self.outputs * OFFSET_BITS
        if self.depth == 1:
            held = Signal(width, reset_less=True)
            with m.If(self.i.valid):
                m.d.sync += held.eq(Value.cast(self.i.values))
            return held
        memory = Ram(depth=self.depth, width=width, cells=MEMORY_CELLS)
        m.submodules.logits = place(memory, platform)
        m.d.comb += [
            memory.write_enable.eq(self.i.valid),
            memory.write_address.eq(write),
            memory.write_data.eq(Value.cast(self.i.values)),
            memory.read_enable.eq(reads),
            memory.read_address.eq(read),
        ]
        return memory.read_data


def sender_cycles(classes: int, outputs: int) -> int:
    """Cycles from the one after ``is_complete`` to that of the last word, both included."""
    return classes + -(-classes // outputs)
