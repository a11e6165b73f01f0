"""Counters against the handshakes that they watch, cycle by cycle."""

from random import Random
from typing import Any

from amaranth.hdl import ResetInserter, Signal

from kakure.hdl.accelerators.counters import Counters
from kakure.sim.drivers.streams import simulate

INPUTS = ("offers", "takes", "is_loaded", "has_failed", "ends")
OUTPUTS = ("load_cycles", "results", "latency", "cycles")


def run(cycles):
    """The counters, two cycles after ``cycles``, each a set of the inputs that are 1."""
    dut = Counters()
    shown = {}

    async def drive(ctx):
        for high in [*cycles, cycles[-1] - {"offers", "takes", "ends"}]:
            for name in INPUTS:
                ctx.set(getattr(dut, name), name in high)
            await ctx.tick()
        await ctx.tick()
        shown.update({name: ctx.get(getattr(dut, name)) for name in OUTPUTS})

    simulate(dut, drive, deadline=len(cycles) + 10)
    return shown


def words(*numbers, total, offered=()):
    """Cycles in which the words of an image go in, taken in ``numbers``."""
    return [
        {"offers", "takes"} if n in numbers else {"offers"} if n in offered else set()
        for n in range(total)
    ]


def loaded(cycles, ends=()):
    return [
        high | {"is_loaded"} | ({"ends"} if n in ends else set()) for n, high in enumerate(cycles)
    ]


LOADING = words(2, 3, 6, total=7)


def test_loading_counts_from_the_first_word_taken_to_the_last():
    shown = run([*LOADING, *loaded(words(total=5))])
    assert shown == {"load_cycles": 5, "results": 0, "latency": 0, "cycles": 0}


def test_loading_that_fails_stops_the_count():
    after = [{"has_failed", "offers", "takes"}] * 4
    assert run([*LOADING, *after])["load_cycles"] == 5


def test_latency_counts_from_the_first_word_offered():
    image = words(4, 9, total=30, offered=(2, 3))
    shown = run([*LOADING, *loaded(image, ends=(20,))])
    assert shown == {"load_cycles": 5, "results": 1, "latency": 19, "cycles": 19}


def test_cycles_go_on_to_the_latest_result_and_latency_does_not():
    image = words(0, 5, 6, 7, total=30)
    shown = run([*LOADING, *loaded(image, ends=(9, 25))])
    assert shown == {"load_cycles": 5, "results": 2, "latency": 10, "cycles": 26}


def test_random_handshakes():
    rng = Random(1)
    image = words(*rng.sample(range(200), 60), total=200)
    ends = sorted(rng.sample(range(40, 200), 15))
    begin = next(n for n, high in enumerate(image) if high)
    shown = run(loaded(image, ends=ends))
    assert shown == {
        "load_cycles": 0,
        "results": 15,
        "latency": ends[0] - begin + 1,
        "cycles": ends[-1] - begin + 1,
    }


def test_a_reset_begins_everything_anew():
    dut: Any = Counters()
    is_reset = Signal()
    shown = []

    async def drive(ctx):
        for _ in range(2):
            for high in [*LOADING, *loaded(words(2, 5, total=12), ends=(7, 9))]:
                for name in INPUTS:
                    ctx.set(getattr(dut, name), name in high)
                await ctx.tick()
            for name in ("offers", "takes", "ends"):
                ctx.set(getattr(dut, name), 0)
            await ctx.tick()
            shown.append([ctx.get(getattr(dut, name)) for name in OUTPUTS])
            ctx.set(is_reset, 1)
            ctx.set(dut.is_loaded, 0)
            await ctx.tick()
            ctx.set(is_reset, 0)
            assert [ctx.get(getattr(dut, name)) for name in OUTPUTS] == [0] * len(OUTPUTS)

    simulate(ResetInserter(is_reset)(dut), drive, deadline=100)
    assert shown == [[5, 2, 6, 8]] * 2
