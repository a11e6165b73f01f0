# amaranth: UnusedElaboratable=no
"""The multiply-add with either multiplier against its reference."""

import numpy as np
import pytest

from kakure.hdl.arithmetic.float_multiply_add import FloatMultiplyAdd
from kakure.hdl.emission.emit import emit
from kakure.model.reference.floating_point.float_format import FORMATS
from kakure.model.reference.floating_point.multiply_add import lam_multiply_add, multiply_add
from kakure.sim.drivers.gates import Gates
from tests.floating_point import random_codes


def unit(fmt, **kind):
    return FloatMultiplyAdd(
        exponent_bits=fmt.exponent_bits, fraction_bits=fmt.fraction_bits, **kind
    )


@pytest.mark.parametrize("name", ["fp8_e5m2", "bf16"])
@pytest.mark.parametrize("kind", [{}, {"compensation": 1}, {"table_bits": 2}])
@pytest.mark.parametrize("has_subnormals", [True, False])
def test_with_lam(name, kind, has_subnormals):
    fmt = FORMATS[name]
    a, b = random_codes(fmt, 50_000, 1)
    c = np.roll(a, 1)
    gates = Gates(unit(fmt, multiplier="lam", **kind, has_subnormals=has_subnormals))
    expected = lam_multiply_add(fmt, a, b, c, **kind, has_subnormals=has_subnormals)
    assert (gates(a=a, b=b, c=c)["o"] == expected).all()


@pytest.mark.parametrize("name", ["fp8_e4m3", "fp16"])
@pytest.mark.parametrize("has_subnormals", [True, False])
def test_with_an_exact_multiplier(name, has_subnormals):
    fmt = FORMATS[name]
    a, b = random_codes(fmt, 30_000, 1)
    c = np.roll(a, 1)
    gates = Gates(unit(fmt, has_subnormals=has_subnormals))
    expected = multiply_add(fmt, a, b, c, has_subnormals=has_subnormals)
    assert (gates(a=a, b=b, c=c)["o"] == expected).all()


def test_emits_a_module_for_each_part():
    design = emit(unit(FORMATS["bf16"], multiplier="lam", compensation=7), "unit")
    kinds = [module.kind for module in design.modules.values()]
    assert kinds == ["lam_multiplier", "float_adder", "float_multiply_add"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"multiplier": "log"}, "multiplier must be 'exact' or 'lam', not 'log'"),
        ({"compensation": 1}, "compensation must be 0 for an exact multiplier, not 1"),
        ({"table_bits": 1}, "table_bits must be 0 for an exact multiplier, not 1"),
        ({"multiplier": "lam", "table_bits": 9}, "table_bits must be 0 to 3, not 9"),
        ({"exponent_bits": 12}, "exponent_bits must be 2 to 11, not 12"),
    ],
)
def test_rejects(kind, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        FloatMultiplyAdd(**{"exponent_bits": 4, "fraction_bits": 3} | kind)
