"""A layer on a PE array, against the reference's pe_array and its promised cycles."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.engines.pe_array.engine import PeEngine
from kakure.model.reference.pe_array import pe_array
from kakure.model.reference.signs import sign_matrix, weight_order
from kakure.sim.drivers.streams import receive, send, simulate, watch
from tests.pe_array import SHAPES, layer_on_array, promised

GENERATORS = ("xorshift32", "xorshift16")


def engine(shape, generator):
    weights = {"kind": "hidden", "seed": 5, "generator": generator}
    return PeEngine(config=layer_on_array(*shape, weights=weights), index=0)


def weights(dut, rng):
    """The layer's weights, and the words that write them."""
    geometry = dut.schedule.geometry
    generator = "xorshift16" if dut.shape.is_16 else "xorshift32"
    sizes = {
        "channels": geometry.in_channels,
        "window": geometry.window,
        "outputs": geometry.outputs,
    }
    mask = rng.random((geometry.fan_in, geometry.outputs)) < 0.6
    w = np.where(mask, sign_matrix(generator, seed=5, layer=0, **sizes), 0)
    words = []
    for row, block in weight_order(generator, **sizes):
        word = w[row, 32 * block : 32 * block + 32]
        positive = sum(1 << b for b, value in enumerate(word) if value > 0)
        negative = sum(1 << b for b, value in enumerate(word) if value < 0)
        words.append({"valid": 1, "row": row, "block": block, "positive": positive})
        words[-1]["negative"] = negative
    return w, words


def run(shape, generator, *, images=2, gaps=None, stalls=None):
    """Check the sums; return the schedule and the cycles that take windows and sums."""
    dut = engine(shape, generator)
    schedule = dut.schedule
    geometry = schedule.geometry
    rng = np.random.default_rng(1)
    count = images * geometry.positions
    x = rng.integers(0, 1 << geometry.input_bits, (count, geometry.fan_in))
    w, words = weights(dut, rng)
    sent, taken = [], []

    async def drive(ctx):
        for word in words:
            ctx.set(dut.weights, word)
            await ctx.tick()
        ctx.set(dut.weights.valid, 0)
        await send(ctx, dut.i, x.tolist(), gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, count, stalls)

    monitors = [watch(dut.i, sent), watch(dut.o, taken)]
    deadline = len(words) + 100 + 5 * count * (schedule.batch_cycles + 10)
    simulate(dut, drive, sink, monitors=monitors, deadline=deadline)
    assert [list(payload) for _, payload in taken] == pe_array(x, w).tolist()
    begin = len(words)
    return schedule, [cycle - begin for cycle, _ in sent], [cycle - begin for cycle, _ in taken]


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_reference_in_exactly_the_cycles_promised(shape, generator):
    schedule, sent, taken = run(shape, generator)
    assert (sent, taken) == promised(schedule, images=2)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("shape", SHAPES[1:3])
def test_pauses_change_nothing(shape, generator):
    run(shape, generator, gaps=Random(2), stalls=Random(3))


def test_a_batch_takes_the_cycles_that_the_schedule_says():
    schedule, sent, _ = run(((4, 2, 1), 1, 3, (1, 2, 4), 2), "xorshift32")
    assert schedule.positions == 2 * schedule.pixels
    assert sent[schedule.pixels] - sent[0] == schedule.batch_cycles
