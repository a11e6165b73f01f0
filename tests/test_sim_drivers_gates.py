"""Gates on long words compute what Amaranth's simulator does."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from kakure.hdl.arithmetic.popcount import Popcount
from kakure.sim.drivers import gates
from kakure.sim.drivers.gates import Gates


class Mixed(wiring.Component):
    """Several widths, a constant, an input that is not used, one that passes."""

    a: Signal
    b: Signal
    unused: Signal
    product: Signal
    is_less: Signal
    same: Signal
    five: Signal

    def __init__(self) -> None:
        super().__init__({
            "a": In(signed(5)), "b": In(signed(4)), "unused": In(1), "product": Out(9),
            "is_less": Out(1), "same": Out(4), "five": Out(3),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += [
            self.product.eq(self.a * self.b),
            self.is_less.eq(self.a < self.b),
            self.same.eq(self.b),
            self.five.eq(5),
        ]
        return m


def simulated(names, a, b):
    dut = Mixed()
    found = {name: [] for name in names}

    async def bench(ctx):
        for x, y in zip(a.tolist(), b.tolist(), strict=True):
            ctx.set(dut.a, x - 32 * (x > 15))
            ctx.set(dut.b, y - 16 * (y > 7))
            for name in names:
                found[name].append(ctx.get(getattr(dut, name)))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("at_once", [1 << 17, 100, 7])
def test_every_input(monkeypatch, at_once):
    monkeypatch.setattr(gates, "AT_ONCE", at_once)
    a, b = (n.ravel() for n in np.meshgrid(np.arange(32), np.arange(16)))
    found = Gates(Mixed())(a=a, b=b, unused=np.zeros(512))
    expected = simulated(found, a, b)
    assert set(found) == {"product", "is_less", "same", "five"}
    assert {name: values.tolist() for name, values in found.items()} == expected


def test_a_wide_count():
    words = np.random.default_rng(1).integers(0, 1 << 40, 1000)
    found = Gates(Popcount(lanes=40))(i=words)["o"]
    assert (found == np.bitwise_count(words)).all()


def test_every_input_must_be_given():
    with pytest.raises(AssertionError, match="every input must have values"):
        Gates(Mixed())(a=[1], b=[2])


def test_registers_are_refused():
    class Counter(wiring.Component):
        o: Signal

        def __init__(self) -> None:
            super().__init__({"o": Out(2)})

        def elaborate(self, platform) -> Module:
            m = Module()
            count = Signal(2, reset_less=True)
            m.d.sync += count.eq(count + 1)
            m.d.comb += self.o.eq(count)
            return m

    with pytest.raises(AssertionError, match="must have no registers"):
        Gates(Counter())
