"""One sum of the temporal array: planes of activations with ternary weights, by Horner's rule."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.popcount import Popcount
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.shape.numbers import signed_bits

from .horner_element_shape import HornerElementShape
from .program import DIGIT

__all__ = ["HornerElement"]


class HornerElement(wiring.Component):
    """Sum of a digit of one position with the weights of one output, a plane per cycle.

    One tree of ``inputs`` bits counts ``positive`` where the activation's bit is 1 and ``negative``
    where it is 0; ``excess``, the number of ``negative``, is subtracted. Planes come most
    significant first: twice the sum of those before, plus the plane.

    Members
    -------
    x, positive, negative : ``In(inputs)``
        A plane of the activations, and the weights.
    excess : ``In(range(inputs + 1))``
        Number of ones in ``negative``.
    step, clears : ``In(1)``
        Add this plane; it is the first.
    o : ``Out(signed)``
        The sum so far, from the cycle after its last plane on.
    """

    x: Signal
    positive: Signal
    negative: Signal
    excess: Signal
    step: Signal
    clears: Signal
    o: Signal

    def __init__(self, *, inputs: int) -> None:
        self.inputs = inputs
        self.shape = HornerElementShape(inputs)
        super().__init__({
            "x": In(inputs),
            "positive": In(inputs),
            "negative": In(inputs),
            "excess": In(range(inputs + 1)),
            "step": In(1),
            "clears": In(1),
            "o": Out(signed(signed_bits(inputs * ((1 << DIGIT) - 1)))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        count = Popcount(lanes=self.inputs)
        m.submodules.count = place(count, platform)
        m.d.comb += count.i.eq((self.x & self.positive) | (~self.x & self.negative))
        value = Signal(range(-self.inputs, self.inputs + 1))
        m.d.comb += value.eq(count.o - self.excess)
        total = Signal(self.o.shape(), reset_less=True)
        with m.If(self.step):
            m.d.sync += total.eq(Mux(self.clears, 0, total << 1) + value)
        m.d.comb += self.o.eq(total)
        return m
