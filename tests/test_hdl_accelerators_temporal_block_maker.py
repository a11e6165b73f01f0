# amaranth: UnusedElaboratable=no
"""Weights and slots of every block of a layer, in the order of the program."""

from random import Random

import numpy as np
import pytest
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.block_maker import BlockMaker
from kakure.hdl.accelerators.temporal.mask_order import mask_groups
from kakure.hdl.accelerators.temporal.operation import operation_values
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.drivers.streams import simulate

ROWS, MASK_WORDS = 512, 4096

CASES = [
    # inputs, outputs, pixels, batches; many; channels, kernel, padding
    ((1, 1, 1, 4), 1, (2, 3), 2, 1),
    ((8, 4, 2, 2), 2, (6, 9), 3, 1),
    ((8, 8, 1, 4), 4, (11, 10), 3, 0),
    ((6, 2, 3, 2), 1, (3, 5), 2, 0),
    ((4, 16, 4, 1), 2, (9, 20), 3, 1),
    ((12, 4, 2, 3), 2, (5, 7), 1, 0),
]


def layers(channels, kernel, padding):
    conv = {"kind": "conv", "kernel": kernel, "padding": padding, "input_bits": 3}
    return [
        conv | {"channels": channels[0]},
        conv | {"channels": channels[1]},
        {"kind": "linear", "channels": 3, "input_bits": 2},
    ]


@pytest.mark.parametrize(("array", "many", "channels", "kernel", "padding"), CASES)
def test_blocks_are_those_of_the_program(array, many, channels, kernel, padding):
    config = temporal(layers(channels, kernel, padding), array, input_shape=[5, 5, 2], rows=many)
    parameters = random_parameters(config, 4)
    inputs, outputs, *_ = array
    word = array_of(config).word
    dut = BlockMaker(
        inputs=inputs, outputs=outputs, word=word, many=many, rows=ROWS, mask_words=MASK_WORDS
    )
    rng = Random(1)
    memory = []
    program = program_of(config)
    operations = [o for o in program.operations if isinstance(o, LayerOperation)]
    for operation in operations:
        mask = parameters.layers[operation.geometry.index].mask
        for group in mask_groups(operation, [mask], many):
            memory.append([sum(int(bit) << o for o, bit in enumerate(row)) for row in group])
    assert len(memory) <= MASK_WORDS
    found = np.zeros((inputs, outputs), int)
    checked = 0

    async def masks(ctx):
        async for *_, enable, address in ctx.tick().sample(dut.mask_enable, dut.mask_address):
            if enable:
                ctx.set(dut.mask, memory[address])

    async def collect(ctx):
        sampled = ctx.tick().sample(
            dut.weights.valid, dut.weights.group, dut.weights.positive, dut.weights.negative
        )
        async for *_, valid, group, positive, negative in sampled:
            if valid:
                for n in range(many):
                    p, q = int(positive[n]), int(negative[n])
                    assert p & q == 0
                    found[group * many + n] = [(p >> o & 1) - (q >> o & 1) for o in range(outputs)]

    async def drive(ctx):
        nonlocal checked
        values = operation_values(config, program, ROWS)
        for operation, value in zip(operations, values, strict=True):
            g = operation.geometry
            w = parameters.layers[g.index].weights(config, g)
            ctx.set(dut.window, value["window"])
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for channel_pass in range(operation.channel_passes):
                for _ in range(operation.position_passes):
                    for block in range(operation.blocks):
                        cycles = 0
                        while not (ctx.get(dut.has_weights) and ctx.get(dut.has_slots)):
                            await ctx.tick()
                            cycles += 1
                        assert cycles == inputs // many + 5 - 1
                        expect = np.zeros((inputs, outputs), int)
                        for number, slot in enumerate(operation.slots(block)):
                            shown = ctx.get(dut.slots[number])
                            assert shown.is_there == (slot is not None)
                            if slot is None:
                                continue
                            assert (shown.ky, shown.kx) == (slot.ky, slot.kx)
                            distance = (
                                slot.ky * operation.source.pitch
                                + slot.kx * (operation.source.words)
                                + slot.word
                            )
                            row, bank = shown.distance.row, shown.distance.bank
                            assert row * dut.banks + bank == distance
                            for lane in range(word):
                                channel = slot.word * word + lane
                                if channel < g.in_channels:
                                    row = channel * g.window + slot.ky * g.kernel_width + slot.kx
                                    first = channel_pass * outputs
                                    some = w[row, first : first + outputs]
                                    expect[number * word + lane, : len(some)] = some
                        # beyond the last channel the mask is 0
                        assert (found == expect).all()
                        checked += 1
                        order = [dut.takes_weights, dut.takes_slots]
                        rng.shuffle(order)
                        if rng.random() < 0.5:
                            for take in order:
                                ctx.set(take, 1)
                                await ctx.tick()
                                ctx.set(take, 0)
                        else:
                            ctx.set(order[0], 1)
                            ctx.set(order[1], 1)
                            await ctx.tick()
                            ctx.set(order[0], 0)
                            ctx.set(order[1], 0)
            assert not ctx.get(dut.has_weights) and not ctx.get(dut.has_slots)

    simulate(dut, drive, deadline=100000, monitors=[masks, collect])
    assert checked == sum(o.channel_passes * o.position_passes * o.blocks for o in operations)
