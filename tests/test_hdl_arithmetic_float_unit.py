# amaranth: UnusedElaboratable=no
"""The exact adder and multiplier against their references."""

import pytest
from amaranth.back import verilog

from kakure.hdl.arithmetic.float_adder import FloatAdder
from kakure.hdl.arithmetic.float_multiplier import FloatMultiplier
from kakure.model.reference.floating_point.exact import add, multiply
from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat
from kakure.sim.drivers.gates import Gates
from tests.floating_point import every_pair, random_codes, special_pairs

EIGHT = [name for name, fmt in FORMATS.items() if fmt.width == 8]
WIDE = [name for name, fmt in FORMATS.items() if fmt.width > 8]
UNITS = {FloatAdder: add, FloatMultiplier: multiply}
pytestmark = [
    pytest.mark.parametrize("has_subnormals", [True, False]),
    pytest.mark.parametrize("unit", UNITS),
]


def made(unit, fmt, has_subnormals):
    widths = {"exponent_bits": fmt.exponent_bits, "fraction_bits": fmt.fraction_bits}
    return unit(**widths, has_subnormals=has_subnormals)


def compare(unit, fmt, has_subnormals, *pairs):
    gates = Gates(made(unit, fmt, has_subnormals))
    for a, b in pairs:
        expected = UNITS[unit](fmt, a, b, has_subnormals=has_subnormals)
        assert (gates(a=a, b=b)["o"] == expected).all()


@pytest.mark.parametrize("name", EIGHT)
def test_every_pair_of_eight_bits(name, unit, has_subnormals):
    compare(unit, FORMATS[name], has_subnormals, every_pair(FORMATS[name]))


@pytest.mark.parametrize("fmt", [*(FORMATS[n] for n in WIDE), FloatFormat(2, 1), FloatFormat(3, 9)])
def test_special_and_random_pairs(fmt, unit, has_subnormals):
    compare(unit, fmt, has_subnormals, special_pairs(fmt), random_codes(fmt, 30_000, 1))


@pytest.mark.full
@pytest.mark.parametrize("name", WIDE)
def test_a_million_random_pairs(name, unit, has_subnormals):
    compare(unit, FORMATS[name], has_subnormals, random_codes(FORMATS[name], 1_000_000, 2))


def test_emits_verilog(unit, has_subnormals):
    text = verilog.convert(made(unit, FORMATS["fp8_e4m3"], has_subnormals), name="unit")
    assert "module unit" in text


@pytest.mark.parametrize(
    ("name", "said"), [("exponent_bits", "2 to 11"), ("fraction_bits", "1 to")]
)
def test_rejects(name, said, unit, has_subnormals):
    widths = {"exponent_bits": 4, "fraction_bits": 3, name: 0}
    with pytest.raises(ValueError, match=f"^{name} must be {said}"):
        unit(**widths, has_subnormals=has_subnormals)
