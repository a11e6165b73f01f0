"""Logits of an image: kept as they come, some at a time, and gone through one by one."""

from typing import Any

from amaranth.hdl import Array, Module, Signal, Value, signed

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.model.parameters.parameters import OFFSET_BITS

from .widths import CHANNEL_BITS, MEMORY_CELLS

__all__ = ["LogitStore"]


class LogitStore:
    """Words of logits in a memory, or in a register if one word is all.

    Parameters
    ----------
    outputs : int
        Logits of a word.
    depth : int
        Words of an image.
    last_class : Signal
        Classes, but one. Stays.

    Attributes
    ----------
    reads : Signal
        Driven by the user: the word at ``read`` is wanted from the next cycle on.
    read : Signal
        Which word that is; the user counts it.
    number : Signal
        The class in turn.
    logit : Signal
        Its logit, while its word is there.
    is_last : Value
        No class follows it.
    """

    def __init__(self, *, outputs: int, depth: int, last_class: Signal) -> None:
        self.outputs = outputs
        self.depth = depth
        self.write, self.read = (
            Signal(range(max(depth, 2)), name=name) for name in ("write", "read")
        )
        self.reads = Signal()
        self.lane, self.number = Signal(range(outputs)), Signal(CHANNEL_BITS)
        self.logit = Signal(signed(OFFSET_BITS))
        self.is_last: Value = self.number == last_class

    def build(self, m: Module, platform: Platform | None, i: Any) -> None:
        """Keep in ``m`` the ``values`` of a cycle with ``i.valid`` as the next word."""
        with m.If(i.valid):
            m.d.sync += self.write.eq(self.write + 1)
        kept = self._kept(m, platform, i)
        words = [kept.word_select(n, OFFSET_BITS) for n in range(self.outputs)]
        m.d.comb += self.logit.eq(Array(words)[self.lane])

    def step(self, m: Module) -> None:
        """Go on to the next class."""
        m.d.sync += [self.number.eq(self.number + 1), self.lane.eq(self.lane + 1)]

    def end_word(self, m: Module, state: str) -> None:
        """After :meth:`step`: to ``state``, which reads, if the next class is in another word."""
        with m.If(self.lane == self.outputs - 1):
            m.d.sync += self.lane.eq(0)
            m.next = state

    def begin(self) -> list[Any]:
        """Statements that go back to the first class."""
        return [self.read.eq(0), self.lane.eq(0), self.number.eq(0)]

    def forget(self) -> list[Any]:
        """Statements that make room for another image."""
        return [self.write.eq(0), *self.begin()]

    def _kept(self, m: Module, platform: Platform | None, i: Any) -> Value:
        """The word that was read last."""
        width = self.outputs * OFFSET_BITS
        if self.depth == 1:
            held = Signal(width, reset_less=True)
            with m.If(i.valid):
                m.d.sync += held.eq(Value.cast(i.values))
            return held
        memory = Ram(depth=self.depth, width=width, cells=MEMORY_CELLS)
        m.submodules.logits = place(memory, platform)
        m.d.comb += [
            memory.write_enable.eq(i.valid),
            memory.write_address.eq(self.write),
            memory.write_data.eq(Value.cast(i.values)),
            memory.read_enable.eq(self.reads),
            memory.read_address.eq(self.read),
        ]
        return memory.read_data
