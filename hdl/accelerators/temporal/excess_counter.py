"""How many weights of an output are negative, counted while they are made."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.hierarchy import place

from .excess_counter_shape import ExcessCounterShape

__all__ = ["ExcessCounter"]


class ExcessCounter(wiring.Component):
    """Ones among ``inputs`` bits that come ``many`` at a time, for the set that is in use.

    Parameters
    ----------
    inputs, many : int, at least 1

    Members
    -------
    valid, is_first : ``In(1)``
        Bits come; they are the first of a set.
    negative : ``In(many)``
        Bits.
    takes : ``In(1)``
        The set that came is in use from the next cycle on; not in a cycle with ``valid``.
    o : ``Out(range(inputs + 1))``
        Ones of the set in use.
    """

    valid: Signal
    is_first: Signal
    negative: Signal
    takes: Signal
    o: Signal

    def __init__(self, *, inputs: int, many: int) -> None:
        self.inputs = inputs
        self.many = many
        self.shape = ExcessCounterShape(inputs, many)
        super().__init__({
            "valid": In(1),
            "is_first": In(1),
            "negative": In(many),
            "takes": In(1),
            "o": Out(range(inputs + 1)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        count = Popcount(lanes=self.many)
        m.submodules.count = place(count, platform)
        made = Signal(self.o.shape(), name="made", reset_less=True)
        used = Signal(self.o.shape(), name="used", reset_less=True)
        m.d.comb += [count.i.eq(self.negative), self.o.eq(used)]
        with m.If(self.valid):
            m.d.sync += made.eq(Mux(self.is_first, 0, made) + count.o)
        with m.If(self.takes):
            m.d.sync += used.eq(made)
        return m
