"""Results on a stream: logits of as many classes as a program says, or the class."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

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

    Members
    -------
    last_class : ``In``
        Classes, but one. Stays.
    sends_class, may_send, must_drop
        As those of :class:`~kakure.hdl.accelerators.result_sender.ResultSender`.
    i : ``In(struct)``
        In a cycle with ``valid``, the next ``values``.
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
    once, and a result may be sent.
    """

    last_class: Signal
    sends_class: Signal
    may_send: Signal
    must_drop: Signal
    i: Any
    is_complete: Signal
    is_busy: Signal
    ends: Signal
    o: stream.Interface

    def __init__(self, *, outputs: int, depth: int) -> None:
        self.outputs = outputs
        self.depth = depth
        self.shape = LogitSenderShape(outputs, depth)
        logits = data.ArrayLayout(signed(OFFSET_BITS), outputs)
        super().__init__({
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

        def stop() -> None:
            m.d.comb += self.ends.eq(1)
            m.d.sync += [write.eq(0), read.eq(0), lane.eq(0), number.eq(0)]
            m.next = "IDLE"

        with m.FSM():
            with m.State("IDLE"), m.If(self.is_complete):
                m.next = "WAIT"
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
