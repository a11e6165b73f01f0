"""Counters of what an array does: each event once, 64 bits of lanes, and a clear."""

from random import Random

from kakure.hdl.accelerators.temporal.excess_counter import ExcessCounter
from kakure.hdl.accelerators.temporal.work_counters import WORK_REGISTERS, WorkCounters
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS
from kakure.sim.drivers.streams import simulate

NAMES = "computes", "waits_weights", "waits_windows", "waits_results"


def test_every_event_counts_once():
    dut = WorkCounters(lanes=1 << 31)
    rng = Random(1)
    shown = []

    async def drive(ctx):
        for _ in range(2):
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)
            await ctx.tick()
            assert not any(ctx.get(dut.values).as_bits().to_bytes(24, "little"))
            expected = dict.fromkeys(NAMES, 0) | {"lanes": 0}
            for _ in range(60):
                event = rng.choice([*NAMES, None])
                lanes = rng.randrange((1 << 31) + 1)
                ctx.set(dut.events, {name: name == event for name in NAMES} | {"lanes": lanes})
                await ctx.tick()
                if event is not None:
                    expected[event] += 1
                    expected["lanes"] += lanes if event == "computes" else 0
            ctx.set(dut.events, dict.fromkeys((*NAMES, "lanes"), 0))
            for _ in range(2):
                await ctx.tick()
            values = ctx.get(dut.values)
            assert {name: values[name.upper()] for name in NAMES} | {
                "lanes": values.LANES_LOW | values.LANES_HIGH << 32
            } == expected
            shown.append(expected["lanes"])

    simulate(dut, drive, deadline=1000)
    assert all(lanes > 1 << 33 for lanes in shown)


def test_registers_do_not_overlap():
    offsets = [register.offset for register in (*ACCELERATOR_REGISTERS, *WORK_REGISTERS)]
    assert len(set(offsets)) == len(offsets)
    assert all(offset % 4 == 0 for offset in offsets)


def test_negative_weights_are_those_of_the_set_in_use():
    dut = ExcessCounter(inputs=12, many=3)
    rng = Random(2)

    async def drive(ctx):
        used = None
        for _ in range(9):
            bits = [rng.randrange(8) for _ in range(4)]
            for n, some in enumerate(bits):
                ctx.set(dut.valid, 1)
                ctx.set(dut.is_first, n == 0)
                ctx.set(dut.negative, some)
                await ctx.tick()
                assert used is None or ctx.get(dut.o) == used
            ctx.set(dut.valid, 0)
            ctx.set(dut.negative, 7)
            await ctx.tick()
            ctx.set(dut.takes, 1)
            await ctx.tick()
            ctx.set(dut.takes, 0)
            used = sum(some.bit_count() for some in bits)
            assert ctx.get(dut.o) == used

    simulate(dut, drive, deadline=1000)
