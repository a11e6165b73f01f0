# amaranth: UnusedElaboratable=no
"""Steps of whole layers: their windows, digit by digit, and what is drained when."""

from random import Random

import numpy as np
import pytest
from branching import FORMS
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.address import address_value
from kakure.hdl.accelerators.temporal.machine import Machine
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.positions import positions_value
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.window_reader import WindowReader
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.drivers.streams import simulate

ROWS = 512

FIRST = [
    {"kind": "conv", "channels": 5, "kernel": 3, "pool": 2, "input_bits": 7},
    {"kind": "conv", "channels": 6, "kernel": 2, "padding": 1, "stride": 2, "input_bits": 3},
    {"kind": "conv", "channels": 6, "kernel": 3, "residual": True, "input_bits": 4},
    {"kind": "linear", "channels": 3, "input_bits": 2},
]

CASES = [
    (FIRST, (1, 1, 1, 4)),
    (FIRST, (8, 4, 2, 3)),
    (FIRST, (6, 2, 3, 2)),
    (FIRST, (4, 8, 4, 1)),
    (FORMS["a block that strides"], (8, 2, 4, 5)),
]


def steps_of(machine, operation):
    """What the array is to be told, in order."""
    array = operation.array
    apart = positions_value(operation, ROWS)["drains_apart"]
    empty = np.zeros((array.pixels, array.inputs), int)
    old = 0

    def drain(batch):
        return dict(batch=batch, computes=0, begins_block=0, drains=1, begins_sums=1, x=empty)

    for _ in range(operation.channel_passes):
        for position_pass in range(operation.position_passes):
            now = operation.batches(position_pass)
            for block in range(operation.blocks):
                for batch in range(now):
                    for digit, planes in enumerate(operation.digit_planes):
                        start = array.pixels * (position_pass * array.batches + batch)
                        x = [
                            machine._fetch(operation, block, start + pixel, digit)
                            for pixel in range(array.pixels)
                        ]
                        yield dict(
                            last_plane=planes - 1,
                            digit=digit,
                            batch=batch,
                            computes=1,
                            begins_block=int(batch == 0 and digit == 0),
                            begins_sums=int(block == 0),
                            drains=int(block == 0 and digit == 0 and batch < old),
                            x=np.stack(x),
                        )
                if block == 0:
                    yield from (drain(batch) for batch in range(now, old))
            old = now
            if apart:
                yield from (drain(batch) for batch in range(old))
                old = 0
    yield from (drain(batch) for batch in range(old))


@pytest.mark.parametrize(("layers", "array"), CASES)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_steps_are_those_of_the_program(layers, array, has_gaps):
    config = temporal(layers, array, input_shape=[6, 5, 1])
    inputs, _, pixels, batches = array
    machine = Machine(config, random_parameters(config, 1))
    banks = array_of(config).slots
    dut = WindowReader(
        inputs=inputs, pixels=pixels, batches=batches, word=array_of(config).word, rows=ROWS
    )
    rng = np.random.default_rng(2)
    for memory in machine.memories:
        memory[:] = rng.integers(0, 16, memory.shape)
    operations = [o for o in program_of(config).operations if isinstance(o, LayerOperation)]
    gaps = Random(3)
    current = operations[0]
    found = []

    async def memories(ctx):
        async for *_, enable, rows in ctx.tick().sample(dut.enable, dut.row):
            words = list(ctx.get(dut.read))
            memory = machine.memories[current.source.memory]
            for bank in range(banks):
                if enable >> bank & 1:
                    address = rows[bank] * banks + bank
                    words[bank] = sum(int(v) << 4 * n for n, v in enumerate(memory[address]))
            ctx.set(dut.read, words)

    async def drive(ctx):
        nonlocal current
        for operation in operations:
            current = operation
            ctx.set(dut.layer, positions_value(operation, ROWS))
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            passes = operation.channel_passes * operation.position_passes
            for number in range(passes * operation.blocks):
                for n, slot in enumerate(operation.slots(number % operation.blocks)):
                    shown = {"is_there": 0, "ky": 0, "kx": 0, "distance": {"row": 0, "bank": 0}}
                    at = (number % operation.blocks) * banks + n
                    ky, place = divmod(at, operation.run)
                    distance = ky * operation.source.pitch + place
                    shown["distance"] = address_value(distance, ROWS, banks)
                    if slot is not None:
                        shown |= {"is_there": 1, "ky": slot.ky, "kx": slot.kx}
                    ctx.set(dut.slots[n], shown)
                while has_gaps and gaps.random() < 0.5:
                    await ctx.tick()
                ctx.set(dut.has_slots, 1)
                taken = False
                while not taken:
                    *_, taken = await ctx.tick().sample(dut.takes_slots)
                ctx.set(dut.has_slots, 0)
            while len(found) < counts[operation.geometry.index]:
                await ctx.tick()

    async def collect(ctx):
        names = ("last_plane", "digit", "batch", "computes", "begins_block", "begins_sums",
                 "drains", "x")  # fmt: skip
        ctx.set(dut.o.ready, 1)
        async for *_, valid, ready, step in ctx.tick().sample(
            dut.o.valid, dut.o.ready, dut.o.payload
        ):
            if valid and ready:
                found.append({name: step[name] for name in names})
            ctx.set(dut.o.ready, int(not has_gaps or gaps.random() < 0.5))

    expected, counts = [], {}
    for operation in operations:
        expected += steps_of(machine, operation)
        counts[operation.geometry.index] = len(expected)
    simulate(dut, drive, deadline=200000, monitors=[memories, collect])
    assert len(found) == len(expected)
    for number, (got, step) in enumerate(zip(found, expected, strict=True)):
        for name, value in step.items():
            if name == "x" and not step["computes"]:
                continue
            shown = got[name]
            if name == "x":
                shown = [[int(v) for v in row] for row in shown]
                value = value.tolist()
            assert shown == value, (number, name)
