# amaranth: UnusedElaboratable=no
"""Tiles of either kind of cells against kakure.model.reference.crossbar.crossbar."""

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from kakure.hdl.engines.crossbar.memory_tile import MemoryTile
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.model.reference import crossbar
from kakure.sim.drivers.streams import receive, send, simulate

SHAPES = [
    # rows, columns, sharing, type, adc_bits, input_bits, shift
    (1, 1, 1, "flash", 1, 1, 0),
    (1, 3, 3, "sar", 2, 2, 0),
    (5, 4, 2, "flash", 2, 3, 0),
    (5, 4, 4, "sar", 3, 1, 0),
    (9, 6, 3, "sar", 4, 4, 0),
    (13, 2, 1, "flash", 3, 8, 1),
    (13, 6, 2, "sar", 2, 3, 2),
    (3, 2, 1, "sar", 5, 2, 0),
]
KINDS = [CrossbarTile, MemoryTile]


def make(kind, shape):
    rows, columns, sharing, adc_type, adc_bits, input_bits, shift = shape
    return kind(
        rows=rows,
        columns=columns,
        sharing=sharing,
        adc_type=adc_type,
        adc_bits=adc_bits,
        input_bits=input_bits,
        adc_shift=shift,
    )


def golden(shape, x, w):
    rows, _, _, _, adc_bits, input_bits, shift = shape
    return crossbar.crossbar(
        x, w, rows=rows, input_bits=input_bits, adc_bits=adc_bits, adc_shift=shift
    )


async def write_cells(ctx, dut, w, enable=-1):
    ctx.set(dut.write.enable, enable)
    for number, row in enumerate(w):
        ctx.set(dut.write.positive, sum(1 << c for c, v in enumerate(row) if v > 0))
        ctx.set(dut.write.negative, sum(1 << c for c, v in enumerate(row) if v < 0))
        ctx.set(dut.write.valid, 1)
        if isinstance(dut, MemoryTile):
            if dut.conversion > 1:
                ctx.set(dut.write.part, number // dut.lanes)
            for cycle in range(dut.sharing + 1):
                _, _, written = await ctx.tick().sample(dut.written)
                assert written == (cycle == dut.sharing)
        else:
            await ctx.tick()
    ctx.set(dut.write.valid, 0)


def run(dut, x, w, rng=None):
    """Sums of the vectors x, and the cycle in which each result was taken."""
    ready = []
    results = []

    async def driver(ctx):
        await write_cells(ctx, dut, w)
        ready.append(True)
        await send(ctx, dut.i, [[int(v) for v in row] for row in x], rng=rng)

    async def sink(ctx):
        results.extend(await receive(ctx, dut.o, len(x), rng=rng))

    writing = len(w) * (dut.sharing + 1)
    simulate(dut, driver, sink, deadline=writing + 40 + 40 * dut.cycles * len(x))
    return [[int(v) for v in row] for row in results]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stalls", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_sums_equal_the_reference(kind, shape, stalls):
    rng = np.random.default_rng(1)
    dut = make(kind, shape)
    x = rng.integers(0, 1 << dut.input_bits, (6, dut.rows))
    x[0] = 0
    x[1] = (1 << dut.input_bits) - 1
    w = rng.integers(-1, 2, (dut.rows, dut.columns))
    w[:, 0] = 1
    w[:, -1] = -1
    assert run(dut, x, w, rng if stalls else None) == golden(shape, x, w).tolist()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_takes_exactly_the_promised_cycles(kind, shape):
    dut = make(kind, shape)
    taken = []
    offered = []

    async def driver(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for cycle in range(3 * dut.cycles + 1):
            _, _, ready, valid = await ctx.tick().sample(dut.i.ready, dut.o.valid)
            if ready:
                taken.append(cycle)
            if valid:
                offered.append(cycle)

    simulate(dut, driver, deadline=5 * dut.cycles + 10)
    assert taken[:3] == [(n + 1) * dut.cycles - 1 for n in range(3)]
    assert offered[:3] == [(n + 1) * dut.cycles for n in range(3)]
    _, _, sharing, adc_type, adc_bits, input_bits, _ = shape
    assert dut.cycles == input_bits * sharing * (adc_bits if adc_type == "sar" else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_write_groups_leave_other_columns_alone(kind):
    dut = kind(
        rows=2,
        columns=4,
        sharing=2,
        adc_type="flash",
        adc_bits=2,
        input_bits=1,
        write_groups=(1, 3),
    )
    sums = []

    async def driver(ctx):
        await write_cells(ctx, dut, np.ones((2, 4), int))
        await write_cells(ctx, dut, -np.ones((1, 4), int), enable=0b10)
        await send(ctx, dut.i, [[1, 1]])

    async def sink(ctx):
        sums.extend(await receive(ctx, dut.o, 1))

    simulate(dut, driver, sink, deadline=40)
    assert [int(v) for v in sums[0]] == [2, 0, 0, 0]


def test_a_row_of_a_memory_that_is_given_up_does_not_count_as_written():
    dut = make(MemoryTile, (5, 4, 4, "sar", 3, 1, 0))
    written = []

    async def driver(ctx):
        ctx.set(dut.write.valid, 1)
        ctx.set(dut.write.enable, 1)
        await ctx.tick().repeat(3)
        ctx.set(dut.write.valid, 0)
        await ctx.tick()
        ctx.set(dut.write.valid, 1)
        for _ in range(5):
            written.append((await ctx.tick().sample(dut.written))[2])

    simulate(dut, driver, deadline=20)
    assert written == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("cycles", range(1, 6))
def test_a_reset_in_the_middle_of_a_row_begins_it_anew(cycles):
    """Whoever writes it may go on at once."""
    dut = make(MemoryTile, (5, 4, 4, "sar", 3, 1, 0))
    reset = Signal()
    written = []

    async def driver(ctx):
        ctx.set(dut.write.valid, 1)
        ctx.set(dut.write.enable, 1)
        await ctx.tick().repeat(cycles)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        for _ in range(5):
            written.append((await ctx.tick().sample(dut.written))[2])

    simulate(ResetInserter(reset)(dut), driver, deadline=20)
    assert written == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 0}, "rows must be at least 1, not 0"),
        ({"columns": 0}, "columns must be at least 1, not 0"),
        ({"sharing": 3}, "sharing must divide columns = 4, not 3"),
        ({"adc_type": "dual"}, "adc_type must be 'flash' or 'sar', not 'dual'"),
        ({"adc_bits": 0}, "adc_bits must be at least 1, not 0"),
        ({"adc_shift": -1}, "adc_shift must be at least 0, not -1"),
        ({"adc_shift": 3}, "adc_shift must leave something of 2 rows, not 3"),
        ({"input_bits": 0}, "input_bits must be at least 1, not 0"),
        ({"write_groups": (1, 1)}, r"write_groups must add up to columns = 4, not \(1, 1\)"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_rejects(kind, change, message):
    good = {
        "rows": 2,
        "columns": 4,
        "sharing": 2,
        "adc_type": "flash",
        "adc_bits": 2,
        "input_bits": 1,
    }
    with pytest.raises(ValueError, match=message):
        kind(**(good | change))
