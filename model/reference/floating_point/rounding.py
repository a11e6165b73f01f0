"""Rounding to the nearest number of a format, ties to even."""

import numpy as np

from .float_format import Codes, FloatFormat

__all__ = ["rounded"]

LARGEST_SHIFT = 62
"""By which every significand becomes 0, and none of its bits a half."""


def rounded(
    fmt: FloatFormat, sign: Codes, significand: Codes, exponent: Codes, *, has_subnormals: bool
) -> Codes:
    """Code of the number nearest to ±significand · 2^exponent, of two the even one.

    From half a unit above the largest number on it is infinity. Without subnormals the number is
    rounded as if exponents went on below; what is then less than the least normal number is zero.

    Parameters
    ----------
    sign : int array
        0, or the sign bit of the format.
    significand : int array, 0 to 2^61 − 1
    exponent : int array
        Of its last bit.
    """
    leading = exponent + _bit_length(significand) - 1 + fmt.bias  # as an exponent field
    field = np.maximum(leading, 1) if has_subnormals else leading
    shift = np.minimum(field - fmt.bias - fmt.fraction_bits - exponent, LARGEST_SHIFT)
    right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
    kept = (significand >> right) << left
    rest = significand - ((significand >> right) << right)
    half = (np.int64(1) << right) >> 1
    is_up = (rest > half) | ((rest == half) & (right > 0) & (kept & 1 == 1))
    magnitude = ((field - 1) << fmt.fraction_bits) + kept + is_up  # the hidden one is counted
    magnitude = np.minimum(magnitude, fmt.infinity)
    least = 0 if has_subnormals else fmt.hidden
    is_zero = (significand == 0) | (magnitude < least)
    return sign | np.where(is_zero, 0, magnitude)


def _bit_length(values: Codes) -> Codes:
    """Bits of each, 0 for 0."""
    length, rest = np.zeros_like(values), values
    for step in (32, 16, 8, 4, 2, 1):
        is_long = rest >> step > 0
        length = length + np.where(is_long, step, 0)
        rest = np.where(is_long, rest >> step, rest)
    return length + (rest > 0)
