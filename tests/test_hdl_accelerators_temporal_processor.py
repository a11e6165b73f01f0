# amaranth: UnusedElaboratable=no
"""Whole networks, operation by operation, on one array."""

from collections import Counter

import numpy as np
import pytest
from branching import FORMS
from temporal import array_of, random_temporal, temporal

from kakure.hdl.accelerators.temporal.address import address_value
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.mask_order import mask_groups
from kakure.hdl.accelerators.temporal.operation import operation_values, sizes_of
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.processor import TemporalProcessor
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.timing import operation_cycles
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network
from kakure.model.reference.stages import quantize_image
from kakure.sim.drivers.streams import simulate

SUM_BITS = 20


def check(config, seed=3):
    """Logits are the reference's, and cycles of every operation those of the formula."""
    parameters = random_parameters(config, seed)
    images = np.random.default_rng(7).integers(0, 256, (1, *config.shape)).astype(np.uint8)
    array, program = array_of(config), program_of(config)
    sizes = sizes_of(program, array)
    dut = TemporalProcessor(array=array, sizes=sizes, sum_bits=SUM_BITS)
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    logits, cycles = [], []
    counted: Counter[str] = Counter()

    async def collect(ctx):
        async for *_, valid, values in ctx.tick().sample(dut.logits.valid, dut.logits.values):
            if valid:
                logits.extend(values)

    async def count(ctx):
        names = "computes", "waits_weights", "waits_windows", "waits_results"
        async for *_, events in ctx.tick().sample(dut.events):
            happens = [name for name in names if events[name]]
            assert len(happens) <= 1
            counted.update(happens)
            counted["lanes"] += events.lanes if events.computes else 0

    async def drive(ctx):
        address = base = 0
        for operation in layers:
            layer = parameters.layers[operation.geometry.index]
            for group in mask_groups(operation, [layer.mask], array.many):
                word = sum(int(bit) << n for n, bit in enumerate(group.reshape(-1)))
                ctx.set(dut.mask, {"valid": 1, "address": address, "word": word})
                await ctx.tick()
                address += 1
            for channel in range(operation.geometry.outputs):
                ctx.set(dut.scales, {
                    "valid": 1, "output": channel % array.outputs,
                    "address": base + channel // array.outputs,
                    "multiplier": int(layer.multiplier[channel]),
                    "offset": int(layer.offset[channel]), "shift": int(layer.shift[channel]),
                })  # fmt: skip
                await ctx.tick()
            base += operation.channel_passes
        assert address == sizes.mask_words
        ctx.set(dut.mask.valid, 0)
        ctx.set(dut.scales.valid, 0)
        image, where = quantize_image(images[0], config.image_bits), program.image
        for y, x in np.ndindex(image.shape[:2]):
            lanes = np.zeros(where.words * array.word, int)
            lanes[: image.shape[2]] = image[y, x]
            for number, some in enumerate(lanes.reshape(where.words, -1)):
                for digit in range(where.digits):
                    at = where.address(y, x, number, digit)
                    word = sum((int(v) >> 4 * digit & 15) << 4 * n for n, v in enumerate(some))
                    ctx.set(dut.image, {
                        "valid": 1, "address": address_value(at, sizes.rows, array.slots),
                        "word": word,
                    })  # fmt: skip
                    await ctx.tick()
        ctx.set(dut.image.valid, 0)
        for value in operation_values(config, program, sizes.rows):
            ctx.set(dut.operation, value)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles.append(1)
            while cycles[-1] < 3 or not ctx.get(dut.is_done):
                await ctx.tick()
                cycles[-1] += 1
            await ctx.tick()

    simulate(dut, drive, deadline=400000, monitors=[collect, count])
    expected = network(config, parameters, images)[0]
    assert logits[: len(expected)] == expected.tolist()
    assert cycles == [operation_cycles(operation) for operation in program.operations]
    expected = Temporal(config).counts
    assert {name.upper(): number for name, number in counted.items() if number} == {
        name: number for name, number in expected.items() if number
    }


@pytest.mark.parametrize("form", FORMS)
def test_logits_are_those_of_the_reference(form):
    check(temporal(FORMS[form], (8, 4, 2, 4), input_shape=[8, 8, 1]))


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(n, marks=pytest.mark.full) for n in range(8, 80))]
)
def test_random_networks_on_random_arrays(seed):
    check(random_temporal(seed))


LAYERS = [
    {"kind": "conv", "channels": 7, "kernel": 3, "pool": 2, "input_bits": 7},
    {"kind": "conv", "channels": 35, "kernel": 2, "padding": 1, "input_bits": 3},
    {"kind": "linear", "channels": 5, "input_bits": 5},
]


@pytest.mark.parametrize(
    "array",
    [
        *((3, 4, 2, 3), (12, 8, 1, 4), (16, 32, 2, 2)),
        *(
            pytest.param(array, marks=pytest.mark.full)
            for array in ((4, 4, 4, 2), (6, 2, 3, 5), (5, 1, 4, 16))
        ),
    ],
)
def test_arrays_of_any_shape(array):
    check(temporal(LAYERS, array, input_shape=[5, 6, 2]))
