# amaranth: UnusedElaboratable=no
"""LAM in hardware against its reference: every pair of eight bits, random ones of more."""

import pytest
from amaranth.back import verilog
from amaranth.sim import Simulator

from kakure.hdl.arithmetic.lam_multiplier import LamMultiplier
from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat
from kakure.model.reference.floating_point.lam import compensation_of, lam_multiply
from kakure.sim.drivers.gates import Gates
from tests.floating_point import every_pair, random_codes, special_pairs

EIGHT = [name for name, fmt in FORMATS.items() if fmt.width == 8]
WIDE = [name for name, fmt in FORMATS.items() if fmt.width > 8]


def lam(fmt, **kind):
    return LamMultiplier(exponent_bits=fmt.exponent_bits, fraction_bits=fmt.fraction_bits, **kind)


def kinds(fmt):
    tables = [{"table_bits": t} for t in (2, 3) if t <= fmt.fraction_bits]
    return [{}, {"compensation": compensation_of(fmt.fraction_bits) or 1}, *tables]


@pytest.mark.parametrize("name", EIGHT)
def test_every_pair_of_eight_bits(name):
    fmt = FORMATS[name]
    a, b = every_pair(fmt)
    for kind in kinds(fmt):
        assert (Gates(lam(fmt, **kind))(a=a, b=b)["o"] == lam_multiply(fmt, a, b, **kind)).all()


@pytest.mark.parametrize("fmt", [*(FORMATS[n] for n in WIDE), FloatFormat(2, 1)])
def test_special_and_random_pairs(fmt):
    for kind in kinds(fmt):
        gates = Gates(lam(fmt, **kind))
        for a, b in (special_pairs(fmt), random_codes(fmt, 100_000, 1)):
            assert (gates(a=a, b=b)["o"] == lam_multiply(fmt, a, b, **kind)).all()


@pytest.mark.full
@pytest.mark.parametrize("name", WIDE)
def test_a_million_random_pairs(name):
    fmt = FORMATS[name]
    a, b = random_codes(fmt, 1_000_000, 2)
    for kind in kinds(fmt):
        assert (Gates(lam(fmt, **kind))(a=a, b=b)["o"] == lam_multiply(fmt, a, b, **kind)).all()


def test_in_the_simulator_of_events():
    fmt = FORMATS["bf16"]
    a, b = random_codes(fmt, 2000, 3)
    dut = lam(fmt, compensation=7)
    found = []

    async def bench(ctx):
        for x, y in zip(a.tolist(), b.tolist(), strict=True):
            ctx.set(dut.a, x)
            ctx.set(dut.b, y)
            found.append(ctx.get(dut.o))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert found == lam_multiply(fmt, a, b, compensation=7).tolist()


def test_a_table_of_one_bit():
    fmt = FloatFormat(3, 2)
    a, b = every_pair(fmt)
    found = Gates(lam(fmt, table_bits=1))(a=a, b=b)["o"]
    assert (found == lam_multiply(fmt, a, b, table_bits=1)).all()


def test_emits_verilog():
    assert "module lam" in verilog.convert(lam(FORMATS["bf16"], table_bits=2), name="lam")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"exponent_bits": 1}, "exponent_bits must be 2 to 11, not 1"),
        ({"fraction_bits": 0}, "fraction_bits must be 1 to 29, not 0"),
        ({"compensation": 8}, "compensation must be 0 to 7, not 8"),
        ({"table_bits": 4}, "table_bits must be 0 to 3, not 4"),
        ({"compensation": 1, "table_bits": 1}, "compensation must be 0 where there is a table"),
    ],
)
def test_rejects(kind, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        LamMultiplier(**{"exponent_bits": 4, "fraction_bits": 3} | kind)
