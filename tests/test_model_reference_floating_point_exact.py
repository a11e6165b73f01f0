"""Products and sums bit for bit as numpy and PyTorch have them."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from kakure.model.reference.floating_point.conversion import decode, encode
from kakure.model.reference.floating_point.exact import add, multiply
from kakure.model.reference.floating_point.float_format import FORMATS, FloatFormat
from kakure.model.reference.floating_point.multiply_add import multiply_add
from tests.floating_point import bits_of, every_pair, random_codes, special_pairs

EIGHT = [fmt for fmt in FORMATS.values() if fmt.width == 8]
WIDE = ["fp32", "fp16", "bf16"]
OPERATIONS = {"product": (multiply, np.multiply), "sum": (add, np.add)}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NaN and infinities of numpy's


def outside(name, operation, a, b):
    """numpy's result, of bfloat16 PyTorch's."""
    fmt = FORMATS[name]
    if name == "bf16":
        x, y = (torch.from_numpy(c.astype(np.uint16).view(np.int16)) for c in (a, b))
        x, y = x.view(torch.bfloat16), y.view(torch.bfloat16)
        result = x * y if operation is np.multiply else x + y
        codes = result.view(torch.int16).numpy().astype(np.int64) & 0xFFFF
        return np.where(result.isnan().numpy(), fmt.nan, codes)
    unsigned, kind = (np.uint32, np.float32) if name == "fp32" else (np.uint16, np.float16)
    x, y = a.astype(unsigned).view(kind), b.astype(unsigned).view(kind)
    return bits_of(fmt, operation(x, y))


def compare(name, what, a, b):
    ours, theirs = OPERATIONS[what]
    assert (ours(FORMATS[name], a, b) == outside(name, theirs, a, b)).all()


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("what", OPERATIONS)
def test_a_million_random_pairs(name, what):
    compare(name, what, *random_codes(FORMATS[name], 1_000_000, 1))


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("what", OPERATIONS)
def test_special_pairs(name, what):
    compare(name, what, *special_pairs(FORMATS[name]))


@pytest.mark.parametrize("fmt", EIGHT)
@pytest.mark.parametrize("what", OPERATIONS)
@pytest.mark.parametrize("has_subnormals", [True, False])
def test_every_pair_of_eight_bits(fmt, what, has_subnormals):
    """Products and sums of eight-bit numbers are exact in double precision."""
    a, b = every_pair(fmt)
    ours, theirs = OPERATIONS[what]
    x, y = (decode(fmt, c if has_subnormals else fmt.flushed(c)) for c in (a, b))
    expected = encode(fmt, theirs(x, y), has_subnormals=has_subnormals)
    assert (ours(fmt, a, b, has_subnormals=has_subnormals) == expected).all()


@pytest.mark.parametrize("what", OPERATIONS)
def test_every_pair_of_e5m2_as_pytorch_casts(what):
    fmt = FORMATS["fp8_e5m2"]
    a, b = every_pair(fmt)
    x, y = (torch.from_numpy(c.astype(np.uint8)).view(torch.float8_e5m2).float() for c in (a, b))
    result = (x * y if what == "product" else x + y).to(torch.float8_e5m2)
    codes = result.view(torch.uint8).numpy().astype(np.int64)
    expected = np.where(result.float().isnan().numpy(), fmt.nan, codes)
    assert (OPERATIONS[what][0](fmt, a, b) == expected).all()


@pytest.mark.parametrize("what", OPERATIONS)
def test_without_subnormals_a_product_is_rounded_as_if_there_were_smaller_exponents(what):
    """numpy with an operand, or both, 2^64 times as large; what is then too small is a zero."""
    fmt = FORMATS["fp32"]
    a, b = random_codes(fmt, 300_000, 2)
    a, b = (np.concatenate(both) for both in zip((a, b), special_pairs(fmt), strict=True))
    is_product = what == "product"
    x, y = (fmt.flushed(c).astype(np.uint32).view(np.float32) for c in (a, b))
    large = np.float32(2.0**64)
    up = x * large * y if is_product else x * large + y * large
    is_safe = np.isfinite(x * large) & np.isfinite(y * large) & np.isfinite(up)
    least = np.float32(2.0**-62)  # 2^64 times the least normal number
    tiny = np.copysign(np.float32(0), up)
    expected = bits_of(fmt, np.where(np.abs(up) < least, tiny, up / large))
    plain = bits_of(fmt, x * y if is_product else x + y)
    expected = np.where(is_safe, expected, plain)
    assert (OPERATIONS[what][0](fmt, a, b, has_subnormals=False) == expected).all()


def test_other_widths_are_rounded_from_the_exact_product():
    for fmt in (FloatFormat(2, 1), FloatFormat(6, 9), FloatFormat(3, 20), FloatFormat(8, 18)):
        a, b = random_codes(fmt, 20_000, 3)
        expected = encode(fmt, decode(fmt, a) * decode(fmt, b))  # at most 42 bits
        assert (multiply(fmt, a, b) == expected).all()


def test_the_widest_sum_is_nearest_to_the_exact_one():
    """No number beside it is nearer, in fractions of integers."""
    fmt = FloatFormat(11, 29)
    a, b = random_codes(fmt, 2000, 4)
    is_finite = np.maximum(fmt.magnitude(a), fmt.magnitude(b)) < fmt.infinity
    a, b = a[is_finite], b[is_finite]
    found = add(fmt, a, b)
    beside = np.stack([
        found,
        np.maximum(fmt.magnitude(found) - 1, 0) | found & fmt.sign,
        found + 1,
    ])
    numbers = decode(fmt, np.where(fmt.magnitude(beside) < fmt.infinity, beside, 0)).T.tolist()
    summands = zip(decode(fmt, a).tolist(), decode(fmt, b).tolist(), numbers, strict=True)
    for x, y, (here, *others) in summands:
        exact = Fraction(x) + Fraction(y)
        assert all(abs(Fraction(here) - exact) <= abs(Fraction(n) - exact) for n in others)


def test_the_sum_follows_the_rounded_product():
    fmt = FORMATS["fp16"]
    a, b = random_codes(fmt, 30_000, 5)
    c = np.roll(a, 7)
    x, y, z = (v.astype(np.uint16).view(np.float16) for v in (a, b, c))
    assert (multiply_add(fmt, a, b, c) == bits_of(fmt, x * y + z)).all()
    flushed = multiply_add(fmt, a, b, c, has_subnormals=False)
    product = multiply(fmt, a, b, has_subnormals=False)
    assert (flushed == add(fmt, product, c, has_subnormals=False)).all()
    assert (flushed != multiply_add(fmt, a, b, c)).any()
