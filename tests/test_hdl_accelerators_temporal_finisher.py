# amaranth: UnusedElaboratable=no
"""From sums to the words of a map, and to logits."""

import numpy as np
import pytest
from branching import FORMS
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.finisher import Finisher
from kakure.hdl.accelerators.temporal.machine import Machine, _Pools
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.target import pace_of, target_value
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.drivers.streams import simulate

ROWS, SUM_BITS = 512, 18

WIDE = [
    {"kind": "conv", "channels": 5, "kernel": 3, "pool": 2, "input_bits": 3},
    {"kind": "conv", "channels": 9, "kernel": 3, "input_bits": 6},
    {"kind": "conv", "channels": 9, "kernel": 3, "residual": True, "input_bits": 7},
    {"kind": "conv", "channels": 9, "kernel": 1, "residual": True, "pool": 1, "input_bits": 2},
    {"kind": "linear", "channels": 11, "input_bits": 3},
]

CASES = [
    (WIDE, (1, 1, 1, 4)),
    (WIDE, (8, 4, 2, 3)),
    (WIDE, (6, 2, 3, 2)),
    (WIDE, (4, 16, 4, 1)),
    (FORMS["over two"], (8, 8, 4, 5)),
]


@pytest.mark.parametrize(("layers", "array"), CASES)
def test_maps_and_logits_are_those_of_the_machine(layers, array):
    config = temporal(layers, array, input_shape=[5, 6, 1])
    parameters = random_parameters(config, 3)
    machine = Machine(config, parameters)
    _, outputs, pixels, _ = array
    accelerator = array_of(config)
    operations = [o for o in program_of(config).operations if isinstance(o, LayerOperation)]
    depth = sum(o.channel_passes for o in operations)
    dut = Finisher(
        outputs=outputs, word=accelerator.word, banks=accelerator.slots, rows=ROWS,
        sum_bits=SUM_BITS, depth=depth,
    )  # fmt: skip
    banks = accelerator.slots
    rng = np.random.default_rng(2)
    for memory in machine.memories:
        memory[:] = rng.integers(0, 16, memory.shape)
    mine = [memory.copy() for memory in machine.memories]
    current: LayerOperation = operations[0]
    logits = []

    async def memories(ctx):
        sampled = ctx.tick().sample(
            dut.read_enable, dut.read_row, dut.write_enable, dut.write_row, dut.write
        )
        async for *_, reads, read_rows, writes, write_rows, words in sampled:
            shown = list(ctx.get(dut.read))
            for bank in range(banks):
                if reads >> bank & 1:
                    assert current.added is not None
                    word = mine[current.added.memory][read_rows[bank] * banks + bank]
                    shown[bank] = sum(int(v) << 4 * n for n, v in enumerate(word))
                if writes >> bank & 1:
                    assert current.target is not None
                    word = [words[bank] >> 4 * n & 15 for n in range(accelerator.word)]
                    mine[current.target.memory][write_rows[bank] * banks + bank] = word
            ctx.set(dut.read, shown)

    async def collect(ctx):
        async for *_, valid, values in ctx.tick().sample(dut.logits.valid, dut.logits.values):
            if valid:
                logits.extend(values)

    async def drive(ctx):
        nonlocal current
        scales = 0
        for operation in operations:
            layer = parameters.layers[operation.geometry.index]
            for channel in range(operation.channel_passes * outputs):
                some = channel < operation.geometry.outputs
                ctx.set(
                    dut.scales,
                    {
                        "valid": 1,
                        "output": channel % outputs,
                        "address": scales + channel // outputs,
                        "multiplier": int(layer.multiplier[channel]) if some else 0,
                        "offset": int(layer.offset[channel]) if some else 0,
                        "shift": int(layer.shift[channel]) if some else 0,
                    },
                )
                await ctx.tick()
            ctx.set(dut.scales.valid, 0)
            scales += operation.channel_passes
        scales = 0
        for operation in operations:
            current, g = operation, operation.geometry
            layer = parameters.layers[g.index]
            pace = pace_of(operation)
            ctx.set(dut.layer, target_value(operation, ROWS, scales))
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            expected = []
            for channel_pass in range(operation.channel_passes):
                pools = _Pools(g.pool**2)
                first = channel_pass * outputs
                for number in range(-(-operation.positions // pixels) * pixels):
                    sums = rng.integers(-200, 800, outputs)
                    sums[max(0, g.outputs - first) :] = 0
                    assert not ctx.get(dut.is_done)
                    ctx.set(dut.i, {"valid": 1, "sums": sums.tolist()})
                    await ctx.tick()
                    ctx.set(dut.i.valid, 0)
                    for _ in range(pace - 1):
                        await ctx.tick()
                    if number < operation.positions:
                        largest = pools.take(sums)
                        if largest is not None:
                            expected += machine._finish(
                                operation, layer, first, number, largest
                            ).tolist()
            for _ in range(pace + 5):
                await ctx.tick()
            assert ctx.get(dut.is_done)
            scales += operation.channel_passes
            if operation.target is None:
                assert logits[: g.outputs] == expected
            else:
                for address, (got, wanted) in enumerate(
                    zip(mine[operation.target.memory], machine.memories[operation.target.memory],
                        strict=True)
                ):  # fmt: skip
                    assert (got == wanted).all(), (g.index, address)

    simulate(dut, drive, deadline=100000, monitors=[memories, collect])
