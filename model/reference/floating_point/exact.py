"""Product and sum of floating-point numbers, rounded to the nearest, ties to even."""

import numpy as np
from numpy.typing import ArrayLike

from .float_format import Codes, FloatFormat
from .rounding import rounded

__all__ = ["add", "multiply"]

EXTRA_BITS = 3
"""Below the last bit of the larger summand: guard, round, and whether anything is below."""


def multiply(fmt: FloatFormat, a: ArrayLike, b: ArrayLike, *, has_subnormals: bool = True) -> Codes:
    """a · b as IEEE 754 has it; a NaN is the one of the format.

    Without subnormals those of the operands count as zeros, and a product that, rounded with
    exponents going on below, is less than the least normal number is a zero of its sign.
    """
    a, b = (_operand(fmt, x, has_subnormals) for x in (a, b))
    sign = (a ^ b) & fmt.sign
    (a_significand, a_exponent), (b_significand, b_exponent) = _parts(fmt, a), _parts(fmt, b)
    product = rounded(
        fmt,
        sign,
        a_significand * b_significand,
        a_exponent + b_exponent,
        has_subnormals=has_subnormals,
    )
    big = np.maximum(fmt.magnitude(a), fmt.magnitude(b))
    small = np.minimum(fmt.magnitude(a), fmt.magnitude(b))
    product = np.where(big == fmt.infinity, sign | fmt.infinity, product)
    is_nan = (big > fmt.infinity) | ((big == fmt.infinity) & (small == 0))
    return np.where(is_nan, fmt.nan, product)


def add(fmt: FloatFormat, a: ArrayLike, b: ArrayLike, *, has_subnormals: bool = True) -> Codes:
    """a + b as IEEE 754 has it: x − x is +0, −0 − 0 is −0; a NaN is the one of the format.

    Without subnormals those of the operands and of the sum are zeros of their sign.
    """
    a, b = (_operand(fmt, x, has_subnormals) for x in (a, b))
    is_less = fmt.magnitude(a) < fmt.magnitude(b)
    big, small = np.where(is_less, b, a), np.where(is_less, a, b)
    (large, exponent), (rest, small_exponent) = _parts(fmt, big), _parts(fmt, small)
    large, rest = large << EXTRA_BITS, rest << EXTRA_BITS
    shift = np.minimum(exponent - small_exponent, fmt.fraction_bits + EXTRA_BITS + 1)
    aligned = rest >> shift
    aligned = aligned | (aligned << shift != rest)  # the last bit: whether anything is below
    is_difference = (a ^ b) & fmt.sign != 0
    total = np.where(is_difference, large - aligned, large + aligned)
    sign = np.where((total == 0) & is_difference, 0, big & fmt.sign)
    found = rounded(fmt, sign, total, exponent - EXTRA_BITS, has_subnormals=has_subnormals)
    is_infinite = fmt.magnitude(big) == fmt.infinity
    found = np.where(is_infinite, big, found)
    is_nan = (fmt.magnitude(big) > fmt.infinity) | (
        is_infinite & is_difference & (fmt.magnitude(small) == fmt.infinity)
    )
    return np.where(is_nan, fmt.nan, found)


def _operand(fmt: FloatFormat, codes: ArrayLike, has_subnormals: bool) -> Codes:
    return fmt.codes(codes) if has_subnormals else fmt.flushed(fmt.codes(codes))


def _parts(fmt: FloatFormat, codes: Codes) -> tuple[Codes, Codes]:
    """Significand, and exponent of its last bit."""
    field = fmt.magnitude(codes) >> fmt.fraction_bits
    significand = fmt.fraction(codes) + np.where(field > 0, fmt.hidden, 0)
    return significand, np.maximum(field, 1) - fmt.bias - fmt.fraction_bits
