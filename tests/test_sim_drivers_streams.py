from random import Random

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.sim.drivers.streams import receive, send, simulate, watch


class Queue(wiring.Component):
    i: stream.Interface
    o: stream.Interface

    def __init__(self):
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=8, depth=4)
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m


@pytest.mark.parametrize("rng", [None, Random(1)])
def test_all_payloads_arrive_and_are_logged(rng):
    dut = Queue()
    sent = []
    received = []

    async def feed(ctx):
        await send(ctx, dut.i, range(50), rng)

    async def take(ctx):
        assert await receive(ctx, dut.o, 50, rng) == list(range(50))

    simulate(dut, feed, take, deadline=400, monitors=[watch(dut.i, sent), watch(dut.o, received)])
    assert [payload for _, payload in sent] == list(range(50))
    assert [payload for _, payload in received] == list(range(50))
    assert sent[0][0] < received[0][0]
    if rng is None:
        assert [cycle for cycle, _ in sent] == list(range(50))


def test_a_lost_payload_meets_the_deadline():
    dut = Queue()

    async def take(ctx):
        await receive(ctx, dut.o, 1)

    with pytest.raises(TimeoutError, match="must end within 20 cycles"):
        simulate(dut, take, deadline=20)


class Pair(wiring.Component):
    """Offers a structure, and another one in cycle 3, though nobody took it."""

    o: stream.Interface

    def __init__(self):
        super().__init__({"o": Out(stream.Signature(data.StructLayout({"a": 4, "b": signed(3)})))})

    def elaborate(self, platform):
        m = Module()
        cycle = Signal(4)
        m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += [self.o.valid.eq(1), self.o.payload.a.eq(9), self.o.payload.b.eq(-2)]
        with m.If(cycle == 3):
            m.d.comb += self.o.payload.b.eq(1)
        return m


def test_structures_are_read_as_such():
    dut = Pair()
    log = []

    async def take(ctx):
        for payload in await receive(ctx, dut.o, 2):
            assert (payload.a, payload.b) == (9, -2)

    simulate(dut, take, deadline=20, monitors=[watch(dut.o, log)])
    assert [(cycle, payload.a, payload.b) for cycle, payload in log] == [(0, 9, -2), (1, 9, -2)]

    async def wait(ctx):
        for _ in range(6):
            await ctx.tick()

    changed = r"cycle 3: Const\(.*, 105\) became Const\(.*, 25\)"
    dut = Pair()
    with pytest.raises(AssertionError, match=changed):
        simulate(dut, wait, deadline=20, monitors=[watch(dut.o)])


@pytest.mark.parametrize(
    ("valid", "payload", "message"),
    [(0, 7, "cycle 5: an offered payload was withdrawn: 7"), (1, 8, "cycle 5: 7 became 8")],
)
def test_a_changed_offer_is_noticed(valid, payload, message):
    dut = Queue()

    async def spoil(ctx):
        ctx.set(dut.i.payload, 7)
        ctx.set(dut.i.valid, 1)
        for _ in range(5):  # the queue is full after four
            await ctx.tick()
        ctx.set(dut.i.valid, valid)
        ctx.set(dut.i.payload, payload)
        for _ in range(5):
            await ctx.tick()

    with pytest.raises(AssertionError, match=message):
        simulate(dut, spoil, deadline=50, monitors=[watch(dut.i)])
