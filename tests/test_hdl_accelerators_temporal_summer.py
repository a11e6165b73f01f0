# amaranth: UnusedElaboratable=no
"""Sums over maps, word by word."""

import numpy as np
import pytest
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.machine import Machine
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import SumOperation
from kakure.hdl.accelerators.temporal.summer import Summer, sum_cycles, sum_value
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.drivers.streams import simulate

ROWS = 512


@pytest.mark.parametrize("array", [(1, 1, 1, 4), (8, 4, 2, 3), (6, 2, 3, 2)])
@pytest.mark.parametrize(
    ("map_bits", "bits", "shift"), [(4, 8, None), (7, 4, 3), (3, 2, 0), (8, 8, 0)]
)
def test_sums_are_those_of_the_machine(array, map_bits, bits, shift):
    head = {"kind": "linear", "channels": 3, "sum_pool": True, "map_bits": map_bits}
    head |= {"input_bits": bits} | ({} if shift is None else {"sum_shift": shift})
    conv = {"kind": "conv", "channels": 5, "kernel": 2, "stride": 2, "input_bits": 2}
    config = temporal([conv, head], array, input_shape=[5, 6, 1])
    machine = Machine(config, random_parameters(config, 1))
    operation = next(o for o in program_of(config).operations if isinstance(o, SumOperation))
    banks = array_of(config).slots
    dut = Summer(word=array_of(config).word, banks=banks, rows=ROWS)
    rng = np.random.default_rng(2)
    for memory in machine.memories:
        memory[:] = rng.integers(0, 16, memory.shape)
    if map_bits % 4:  # what the finisher never writes
        source = operation.source
        plane = slice(source.base + (source.digits - 1) * source.plane, source.base + source.size)
        machine.memories[source.memory][plane] &= (1 << map_bits % 4) - 1
    mine = [memory.copy() for memory in machine.memories]
    cycles = 0

    async def memories(ctx):
        sampled = ctx.tick().sample(
            dut.read_enable, dut.read_row, dut.write_enable, dut.write_row, dut.write
        )
        async for *_, reads, read_rows, writes, write_rows, words in sampled:
            shown = list(ctx.get(dut.read))
            for bank in range(banks):
                if reads >> bank & 1:
                    word = mine[operation.source.memory][read_rows[bank] * banks + bank]
                    shown[bank] = sum(int(v) << 4 * n for n, v in enumerate(word))
                if writes >> bank & 1:
                    word = [words[bank] >> 4 * n & 15 for n in range(array_of(config).word)]
                    mine[operation.target.memory][write_rows[bank] * banks + bank] = word
            ctx.set(dut.read, shown)

    async def drive(ctx):
        nonlocal cycles
        ctx.set(dut.layer, sum_value(operation, ROWS, banks))
        for _ in range(2):  # one after the other
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles = 0
            while not ctx.get(dut.is_done):
                await ctx.tick()
                cycles += 1

    simulate(dut, drive, deadline=20000, monitors=[memories])
    machine._sum(operation)
    assert all((a == b).all() for a, b in zip(mine, machine.memories, strict=True))
    assert cycles == sum_cycles(operation)
