# amaranth: UnusedElaboratable=no
"""Codes of a readout against kakure.model.reference.crossbar.adc, for every count."""

from random import Random

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module

from kakure.hdl.engines.crossbar.readout import Readout, conversion_cycles
from kakure.model.reference.crossbar import adc
from kakure.sim.drivers.streams import simulate

SHAPES = [
    # rows, adc_bits, adc_shift
    (1, 1, 0),
    (1, 4, 0),
    (1, 1, 2),
    (5, 2, 0),
    (9, 4, 1),
    (13, 3, 0),
    (13, 3, 3),
    (16, 12, 0),
    (64, 4, 2),
]


def clocked(dut):
    """The readout beside a clock, which flash does without."""
    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.dut = dut
    return m


def codes(dut, columns, rng):
    """The code of every column, a list of bits, with pauses in the middle of conversions."""
    got = []

    async def pause(ctx):
        while rng.random() < 0.3:
            ctx.set(dut.advance, 0)
            ctx.set(dut.i, rng.getrandbits(dut.lanes))
            ctx.set(dut.is_first, rng.randrange(2))
            await ctx.tick()

    async def drive(ctx):
        for column in columns:
            code = None
            for cycle in range(dut.cycles):
                await pause(ctx)
                part = column[cycle * dut.lanes : (cycle + 1) * dut.lanes]
                ctx.set(dut.i, sum(bit << n for n, bit in enumerate(part)))
                ctx.set(dut.is_first, cycle == 0)
                ctx.set(dut.advance, 1)
                *_, code = await ctx.tick().sample(dut.o)
            got.append(code)

    simulate(clocked(dut), drive, deadline=10 * len(columns) * dut.cycles + 50)
    return got


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("adc_type", ["flash", "sar"])
def test_every_count_has_the_code_of_the_reference(shape, adc_type):
    rows, adc_bits, adc_shift = shape
    dut = Readout(rows=rows, adc_type=adc_type, adc_bits=adc_bits, adc_shift=adc_shift)
    rng = Random(1)
    columns = []
    for ones in [*range(rows + 1), *range(rows, -1, -1)]:
        columns.append([1] * ones + [0] * (rows - ones))
        rng.shuffle(columns[-1])
    counts = np.array([sum(column) for column in columns])
    assert codes(dut, columns, rng) == adc(counts, adc_bits, adc_shift).tolist()


@pytest.mark.parametrize(("adc_type", "cycles"), [("flash", 1), ("sar", 5)])
def test_conversion_cycles(adc_type, cycles):
    assert conversion_cycles(adc_type, 5) == cycles
    assert Readout(rows=64, adc_type=adc_type, adc_bits=5).cycles == cycles


@pytest.mark.parametrize(("rows", "lanes"), [(64, 16), (65, 17), (3, 1)])
def test_sar_counts_a_share_of_the_rows(rows, lanes):
    assert Readout(rows=rows, adc_type="sar", adc_bits=4).lanes == lanes
    assert Readout(rows=rows, adc_type="flash", adc_bits=4).lanes == rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 0}, "rows must be at least 1, not 0"),
        ({"adc_type": "dual"}, "adc_type must be 'flash' or 'sar', not 'dual'"),
        ({"adc_bits": 0}, "adc_bits must be at least 1, not 0"),
        ({"adc_shift": -1}, "adc_shift must be at least 0, not -1"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Readout(**{"rows": 4, "adc_type": "sar", "adc_bits": 2, "adc_shift": 0, **change})
