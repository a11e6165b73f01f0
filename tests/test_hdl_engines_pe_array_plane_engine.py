"""A layer of bitwise weights on a PE array: any number of planes, against the reference."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.engines.pe_array.plane_engine import PlaneEngine
from kakure.hdl.engines.pe_array.schedule import PeSchedule
from kakure.model.errors import UserError
from kakure.model.reference.crossbar import bitwise_planes
from kakure.model.reference.pe_array import pe_array_bitwise
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import receive, send, simulate, watch
from tests.pe_array import SHAPES, layer_on_array, promised


def configuration(shape, bits):
    return layer_on_array(*shape, weights={"kind": "bitwise", "bits": bits})


def words_of(u, bits, geometry):
    """What writes the weights: all of the first plane, then of the second one, and so on."""
    sizes = {"channels": geometry.in_channels, "window": geometry.window}
    order = list(weight_order("xorshift32", **sizes, outputs=geometry.outputs))
    words = []
    for plane, ones in enumerate(bitwise_planes(u, bits)):
        for row, block in order:
            word = ones[row, 32 * block : 32 * block + 32]
            value = sum(1 << b for b, bit in enumerate(word) if bit)
            words.append({"valid": 1, "plane": plane, "row": row, "block": block, "bits": value})
    return words


def run(shape, bits, used, *, images=2, gaps=None, stalls=None, extreme=None):
    """Check the sums; return the configuration and the cycles that take windows and sums."""
    config = configuration(shape, bits)
    dut = PlaneEngine(config=config, index=0)
    geometry = config.geometry[0]
    rng = np.random.default_rng(bits)
    count = images * geometry.positions
    x = rng.integers(0, 1 << geometry.input_bits, (count, geometry.fan_in))
    u = rng.integers(0, 1 << bits, (geometry.fan_in, geometry.outputs))
    if extreme is not None:
        x[:] = (1 << geometry.input_bits) - 1
        u[:] = extreme
    words = words_of(u, bits, geometry)
    sent, taken = [], []

    async def drive(ctx):
        ctx.set(dut.used, used)
        for word in words:
            ctx.set(dut.weights, word)
            await ctx.tick()
        ctx.set(dut.weights.valid, 0)
        await send(ctx, dut.i, x.tolist(), gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, count, stalls)

    monitors = [watch(dut.i, sent), watch(dut.o, taken)]
    deadline = len(words) + 100 + 5 * count * (dut.schedule.batch_cycles + 10)
    simulate(dut, drive, sink, monitors=monitors, deadline=deadline)
    expected = pe_array_bitwise(x, u, bits=bits, used=used)
    assert [list(payload) for _, payload in taken] == expected.tolist()
    begin = len(words)
    return config, [cycle - begin for cycle, _ in sent], [cycle - begin for cycle, _ in taken]


@pytest.mark.parametrize(("bits", "used"), [(1, 1), (2, 1), (3, 3), (4, 2), (8, 5), (8, 8)])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_reference_in_exactly_the_cycles_promised(shape, bits, used):
    config, sent, taken = run(shape, bits, used)
    assert (sent, taken) == promised(PeSchedule(config.at(used), 0), images=2)


@pytest.mark.parametrize("shape", SHAPES[1:4])
def test_pauses_change_nothing(shape):
    run(shape, 3, 2, gaps=Random(2), stalls=Random(3))


@pytest.mark.parametrize("extreme", [0, 255])
def test_the_largest_sums_fit(extreme):
    run(SHAPES[2], 8, 8, images=1, extreme=extreme)


def test_a_plane_costs_as_much_as_any_other():
    config = configuration(SHAPES[1], 8)
    cycles = [PeSchedule(config.at(n), 0).work_cycles for n in range(1, 9)]
    assert np.diff(cycles).tolist() == [cycles[0] - 1] * 7


def test_its_area_has_no_closed_form():
    shape = PeSchedule(configuration(SHAPES[1], 4), 0).shape
    with pytest.raises(UserError, match=r"weights.kind: must be hidden to have a closed form"):
        list(shape.children())
