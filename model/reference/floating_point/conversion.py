"""Numbers of Python and numpy to a format and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .float_format import Codes, FloatFormat
from .rounding import rounded

__all__ = ["decode", "encode"]


def encode(fmt: FloatFormat, values: ArrayLike, *, has_subnormals: bool = True) -> Codes:
    """Codes nearest to doubles, ties to even; any NaN becomes that of the format."""
    x = np.asarray(values, np.float64)
    significand, exponent = np.frexp(np.where(np.isfinite(x), np.abs(x), 0.0))
    whole = (significand * 2.0**53).astype(np.int64)
    sign = np.where(np.signbit(x), np.int64(fmt.sign), 0)
    codes = rounded(fmt, sign, whole, exponent.astype(np.int64) - 53, has_subnormals=has_subnormals)
    codes = np.where(np.isinf(x), sign | fmt.infinity, codes)
    return np.where(np.isnan(x), fmt.nan, codes)


def decode(fmt: FloatFormat, codes: ArrayLike) -> NDArray[np.float64]:
    """The numbers of codes, exactly, as doubles."""
    c = fmt.codes(codes)
    field = fmt.magnitude(c) >> fmt.fraction_bits
    significand = fmt.fraction(c) + np.where(field > 0, fmt.hidden, 0)
    exponent = np.maximum(field, 1) - fmt.bias - fmt.fraction_bits
    x = np.ldexp(significand.astype(np.float64), exponent.astype(np.int32))
    x = np.where(fmt.magnitude(c) == fmt.infinity, np.inf, x)
    x = np.where(fmt.magnitude(c) > fmt.infinity, np.nan, x)
    return np.where(c & fmt.sign, -x, x)
