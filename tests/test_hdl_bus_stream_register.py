# amaranth: UnusedElaboratable=no
"""A register in front of a stream: what passes it, when, and when nothing may."""

from random import Random

import pytest

from kakure.hdl.bus.stream_register import StreamRegister
from kakure.sim.drivers.streams import receive, send, simulate, watch


def run(payloads, *, gaps=None, stalls=None, closes=None, width=5):
    """(cycle, payload) of what enters and of what leaves."""
    dut = StreamRegister(width=width)
    entered, left = [], []

    async def drive(ctx):
        await send(ctx, dut.i, payloads, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(payloads), stalls)

    async def gate(ctx):
        while True:
            ctx.set(dut.is_open, closes is None or closes.random() < 0.5)
            await ctx.tick()

    async def hold(ctx):
        async for *_, ready, is_open, is_held in ctx.tick().sample(
            dut.i.ready, dut.is_open, dut.is_held
        ):
            assert ready == (is_open and not is_held)
            assert is_held == (len(entered) > len(left))

    monitors = [gate, hold, watch(dut.i, entered), watch(dut.o, left)]
    simulate(dut, drive, sink, monitors=monitors, deadline=30 * len(payloads) + 50)
    return entered, left


PAYLOADS = [Random(5).randrange(32) for _ in range(200)]


def test_without_stalls_everything_passes_in_the_cycle_in_which_it_comes():
    entered, left = run(PAYLOADS)
    assert entered == left == [*enumerate(PAYLOADS)]


@pytest.mark.parametrize("gaps", [None, 1])
@pytest.mark.parametrize("stalls", [None, 2])
@pytest.mark.parametrize("closes", [None, 3])
def test_order_and_payloads_are_kept(gaps, stalls, closes):
    rngs = [None if seed is None else Random(seed) for seed in (gaps, stalls, closes)]
    entered, left = run(PAYLOADS, gaps=rngs[0], stalls=rngs[1], closes=rngs[2])
    assert [payload for _, payload in entered] == PAYLOADS
    assert [payload for _, payload in left] == PAYLOADS
    assert all(first <= then for (first, _), (then, _) in zip(entered, left, strict=True))


def test_stalls_cost_the_reader_no_cycle():
    """A reader that is ready in some cycles gets a payload in each of them."""
    ready = [Random(7).random() < 0.4 for _ in range(120)]
    dut = StreamRegister(width=8)
    left = []

    async def drive(ctx):
        ctx.set(dut.is_open, 1)
        await send(ctx, dut.i, range(sum(ready)))

    async def sink(ctx):
        for is_ready in ready:
            ctx.set(dut.o.ready, is_ready)
            await ctx.tick()

    simulate(dut, drive, sink, monitors=[watch(dut.o, left)], deadline=200)
    assert [cycle for cycle, _ in left] == [n for n, is_ready in enumerate(ready) if is_ready]


def test_what_is_held_leaves_while_closed():
    dut = StreamRegister(width=4)

    async def bench(ctx):
        ctx.set(dut.is_open, 1)
        ctx.set(dut.i.payload, 9)
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.is_open, 0)
        ctx.set(dut.i.payload, 4)
        assert (ctx.get(dut.o.valid), ctx.get(dut.o.payload)) == (1, 9)
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        for _ in range(3):
            assert (ctx.get(dut.o.valid), ctx.get(dut.i.ready)) == (0, 0)
            await ctx.tick()
        ctx.set(dut.is_open, 1)
        assert (ctx.get(dut.o.valid), ctx.get(dut.o.payload)) == (1, 4)

    simulate(dut, bench, deadline=20)


def test_rejects():
    with pytest.raises(ValueError, match=r"^width must be at least 1, not 0$"):
        StreamRegister(width=0)
