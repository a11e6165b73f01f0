"""LAM: its values, its errors, and all that is no ordinary number."""

import numpy as np
import pytest

from kakure.model.reference.floating_point.conversion import decode, encode
from kakure.model.reference.floating_point.exact import add
from kakure.model.reference.floating_point.float_format import FORMATS
from kakure.model.reference.floating_point.lam import compensation_of, correction, lam_multiply
from kakure.model.reference.floating_point.multiply_add import lam_multiply_add
from tests.floating_point import every_pair, random_codes, special_pairs

FP32, BF16 = FORMATS["fp32"], FORMATS["bf16"]


def product(fmt, x, y, **kind):
    return float(decode(fmt, lam_multiply(fmt, encode(fmt, x), encode(fmt, y), **kind)))


def written_out(fmt, a, b, compensation, table_bits):
    """The product of two codes as the docstring has it, a number at a time."""
    least, infinite = fmt.hidden, fmt.infinity
    sign = (a ^ b) & fmt.sign
    a, b = (x & (fmt.sign - 1) for x in (a, b))
    if a > infinite or b > infinite:
        return fmt.nan
    if a < least or b < least:
        return fmt.nan if infinite in (a, b) else sign
    if infinite in (a, b):
        return sign | infinite
    n = fmt.fraction_bits
    i, f = (a >> n) - fmt.bias, a & (least - 1)
    j, g = (b >> n) - fmt.bias, b & (least - 1)
    s = f + g
    if f and g and table_bits:
        row, column = f >> (n - table_bits), g >> (n - table_bits)
        s += int(correction(n, table_bits, row, column))
        exponent = i + j + (s >= least)
        fraction = (s - least) // 2 if s >= least else s
    else:
        s += compensation if f and g else 0
        exponent, fraction = i + j + s // least, s % least
    field = exponent + fmt.bias
    if field < 1:
        return sign
    return sign | min((field << n) + fraction, infinite)


def test_values_by_hand():
    c = compensation_of(23)
    assert c == 0x3F800000 - 0x3F790000
    assert product(FP32, 1.5, 1.5) == 2.0
    assert product(FP32, 1.5, 1.5, compensation=c) == 2.109375
    assert product(FP32, 1.75, 1.75) == 3.0
    assert product(FP32, 1.75, 1.75, compensation=c) == 3.109375
    assert round(product(FP32, 3, -0.7), 4) == -1.9
    assert round(product(FP32, 3, -0.7, compensation=c), 4) == -1.9547
    assert product(FP32, 1.5, 1.5, table_bits=2) == 2.390625  # + (5/8)² at a half of its weight
    assert product(FP32, 1.25, 1.25, table_bits=2) == 1.640625


@pytest.mark.parametrize("kind", [{}, {"compensation": compensation_of(23)}, {"table_bits": 3}])
def test_powers_of_two_are_exact(kind):
    x = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    for factor in (1.0, -2.0, 0.125):
        found = decode(FP32, lam_multiply(FP32, encode(FP32, x), encode(FP32, factor), **kind))
        assert (found == x.astype(np.float64) * factor).all()
        swapped = decode(FP32, lam_multiply(FP32, encode(FP32, factor), encode(FP32, x), **kind))
        assert (swapped == found).all()


@pytest.mark.parametrize(
    ("name", "compensation", "table_bits"),
    [
        (name, compensation, table_bits)
        for name in ("fp8_e5m2", "fp8_e4m3", "fp8_e3m4")
        for compensation, table_bits in ((0, 0), (1, 0), (0, 1), (0, 2), (0, 3))
        if table_bits <= FORMATS[name].fraction_bits
    ],
)
def test_every_pair_of_eight_bits_is_what_is_written(name, compensation, table_bits):
    fmt = FORMATS[name]
    a, b = every_pair(fmt)
    found = lam_multiply(fmt, a, b, compensation=compensation, table_bits=table_bits)
    expected = [
        written_out(fmt, x, y, compensation, table_bits)
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("has_table", [False, True])
def test_wide_formats_are_what_is_written(name, has_table):
    fmt = FORMATS[name]
    kind = {
        "compensation": 0 if has_table else compensation_of(fmt.fraction_bits),
        "table_bits": 3 * has_table,
    }
    for a, b in (special_pairs(fmt), random_codes(fmt, 5000, 1)):
        found = lam_multiply(fmt, a, b, **kind)
        pairs = zip(a.tolist(), b.tolist(), strict=True)
        assert found.tolist() == [written_out(fmt, x, y, **kind) for x, y in pairs]


def test_corrections_by_hand():
    """(1 · 1 … 7 · 7) / 64 in units of 1/8 and 1/64: halves of a unit are rounded up."""
    rows, columns = [0, 0, 1, 1, 3], [0, 1, 1, 2, 3]
    assert correction(6, 2, rows, columns).tolist() == [1, 3, 9, 15, 49]
    assert correction(3, 2, rows, columns).tolist() == [0, 0, 1, 2, 6]
    assert correction(1, 1, [0, 1], [1, 1]).tolist() == [0, 1]
    assert correction(3, 1, [0, 0], [0, 1]).tolist() == [1, 2]  # of ½ and 1½ units


def test_plain_is_one_sum_of_integers():
    a, b = random_codes(FP32, 10_000, 2)
    total = (a & 0x7FFFFFFF) + (b & 0x7FFFFFFF) - 0x3F800000
    normal = (total >= 1 << 23) & (total < FP32.infinity)
    normal &= ((a >> 23 & 255) % 255 > 0) & ((b >> 23 & 255) % 255 > 0)
    found = lam_multiply(FP32, a, b)
    assert normal.sum() > 3000
    assert (found == (((a ^ b) & 0x80000000) | total))[normal].all()


def test_what_is_no_ordinary_number():
    small, subnormal, most = 2.0**-126, 2.0**-130, 3e38
    cases = [
        (0.0, 5.0, 0.0), (subnormal, 5.0, 0.0), (small, 0.25, 0.0), (small, 0.75, 0.0),
        (most, 4.0, np.inf), (most, 1.5, np.inf), (np.inf, 0.5, np.inf), (np.inf, np.inf, np.inf),
    ]  # fmt: skip
    for x, y, expected in cases:
        for sign in (1.0, -1.0):
            found = product(FP32, x, sign * y)
            assert abs(found) == expected and np.signbit(found) == (sign < 0), (x, y)
    for x, y in ((np.inf, 0.0), (np.inf, subnormal), (np.nan, 0.0), (np.nan, np.inf)):
        assert np.isnan(product(FP32, x, y)) and np.isnan(product(FP32, y, x))


def test_compensation_follows_the_width():
    assert [compensation_of(n) for n in (2, 3, 4, 7, 10, 23)] == [0, 0, 1, 7, 56, 458752]


@pytest.mark.parametrize(
    ("fmt", "compensation", "table_bits", "least", "most"),
    [
        (BF16, 0, 0, -1 / 9, 0),
        (BF16, 7, 0, 8 / (3 - 7 / 128) ** 2 - 1, 7 / 128),
        (FORMATS["fp8_e3m4"], 1, 0, 8 / (3 - 1 / 16) ** 2 - 1, 1 / 16),
        (FORMATS["fp16"], 0, 2, -0.060, 0.067),
        (FORMATS["fp16"], 0, 3, -0.033, 0.033),
    ],
)
def test_errors_of_all_fractions_stay_within_their_bounds(
    fmt, compensation, table_bits, least, most
):
    """And come near to them, so that these are no idle ones."""
    codes = fmt.one + np.arange(fmt.hidden)
    a, b = codes[:, None], codes[None, :]
    found = decode(fmt, lam_multiply(fmt, a, b, compensation=compensation, table_bits=table_bits))
    exact = decode(fmt, a) * decode(fmt, b)
    assert (found >= exact * (1 + least)).all() and (found <= exact * (1 + most)).all()
    error = found / exact - 1
    assert error.min() < 0.85 * least and error.max() >= 0.82 * most


def test_the_sum_of_a_product_is_exact():
    fmt = FORMATS["fp8_e4m3"]
    a, b = every_pair(fmt)
    c = np.random.default_rng(3).integers(0, 256, len(a))
    for kind in ({}, {"compensation": 1}, {"table_bits": 2}):
        for has_subnormals in (False, True):
            found = lam_multiply_add(fmt, a, b, c, **kind, has_subnormals=has_subnormals)
            product = lam_multiply(fmt, a, b, **kind)
            assert (found == add(fmt, product, c, has_subnormals=has_subnormals)).all()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"compensation": -1}, "compensation must be 0 to 127, not -1"),
        ({"compensation": 128}, "compensation must be 0 to 127, not 128"),
        ({"table_bits": 5}, "table_bits must be 0 to 4, not 5"),
        (
            {"compensation": 7, "table_bits": 2},
            "compensation must be 0 where there is a table, not 7",
        ),
    ],
)
def test_rejects(kind, said):
    with pytest.raises(ValueError, match=f"^{said}$"):
        lam_multiply(BF16, 0, 0, **kind)
    with pytest.raises(ValueError, match=r"^table_bits must be 0 to 2, not 3$"):
        lam_multiply(FORMATS["fp8_e5m2"], 0, 0, table_bits=3)
