"""LAM, the multiplier that adds logarithms: the code of a number is nearly its logarithm."""

import numpy as np
from numpy.typing import ArrayLike

from .float_format import Codes, FloatFormat

__all__ = ["check_lam", "compensation_of", "correction", "lam_multiply"]

MOST_TABLE_BITS = 4


def compensation_of(fraction_bits: int) -> int:
    """7/128 in units of the last bit of a fraction, to the nearest; 0 for up to 3 bits.

    The error of the plain product lies between −1/9 and 0; so compensated, its mean is near 0.
    """
    return (7 * (1 << fraction_bits) + 64) // 128


def check_lam(fmt: FloatFormat, compensation: int, table_bits: int) -> None:
    """ValueError where there is no such LAM: see :func:`lam_multiply`."""
    if not 0 <= compensation < fmt.hidden:
        raise ValueError(f"compensation must be 0 to {fmt.hidden - 1}, not {compensation!r}")
    most = min(MOST_TABLE_BITS, fmt.fraction_bits)
    if not 0 <= table_bits <= most:
        raise ValueError(f"table_bits must be 0 to {most}, not {table_bits!r}")
    if compensation and table_bits:
        raise ValueError(f"compensation must be 0 where there is a table, not {compensation!r}")


def correction(fraction_bits: int, table_bits: int, row: ArrayLike, column: ArrayLike) -> Codes:
    """Product of the middles of two cells, (row + ½)(column + ½) / 4^table_bits.

    In units of the last bit of a fraction, to the nearest, halves up.

    Parameters
    ----------
    row, column : int array
        The first ``table_bits`` bits of the two fractions.
    """
    product = (2 * np.asarray(row, np.int64) + 1) * (2 * np.asarray(column, np.int64) + 1)
    bits = 2 * table_bits + 2
    return ((product << fraction_bits) + (1 << (bits - 1))) >> bits


def lam_multiply(
    fmt: FloatFormat, a: ArrayLike, b: ArrayLike, *, compensation: int = 0, table_bits: int = 0
) -> Codes:
    """a · b, nearly: with a = 2^i (1 + f) and b = 2^j (1 + g) the code of one plus that of another.

    That is ``code(a) + code(b) − code(1) + c``, one sum of integers with a compensation c:
    ``2^(i + j) · (1 + s)`` if s = f + g + c is below 1, ``2^(i + j + 1) · s`` if it is below 2, and
    ``2^(i + j + 2) · (s − 1)`` beyond. With a table of t bits it is
    ``2^(i + j) · (1 + f + g + T)``, T the :func:`correction`, whose last bit is dropped where a
    carry moves it below that of the fraction. Where f or g is 0 there is no compensation and no
    correction: a product with a power of two is exact.

    Relative error: −1/9 to 0, plain; 8/(3 − c)² − 1 to c, with a compensation of up to 1/8; −6.0 %
    to +6.7 % with a table of 2 bits, −3.3 % to +3.3 % with one of 3, if the fraction is long.

    All else: the sign is that of the product. Subnormal operands are zeros. Zero times a number
    is 0. A product below the least normal number is 0, one above the largest is ∞; neither is
    rounded up or down to a number before that. ∞ times anything but 0 and NaN is ∞. ∞ · 0, and all
    that has a NaN, is the NaN of the format.

    Parameters
    ----------
    compensation : int, 0 to 2^fraction_bits − 1
        c in units of the last bit of the fraction; :func:`compensation_of` is a good one.
    table_bits : int, 0 to 4, at most fraction_bits
        First bits of each fraction that the correction looks at, 0 for none; not with a
        compensation.

    Raises
    ------
    ValueError
        If there is no such LAM.

    Source
    ------
    Mitchell, IRE Trans. Electronic Computers EC-11(4), 1962; as integer sum of floating-point
    codes: Cheng et al., PATMOS 2019, DOI 10.1109/patmos.2019.8862162. Compensation and correction
    are ours.
    """
    check_lam(fmt, compensation, table_bits)
    a, b = fmt.flushed(fmt.codes(a)), fmt.flushed(fmt.codes(b))
    sign = (a ^ b) & fmt.sign
    total = fmt.magnitude(a) + fmt.magnitude(b) - fmt.one
    f, g = fmt.fraction(a), fmt.fraction(b)
    is_between = (f != 0) & (g != 0)  # neither is a power of two
    if table_bits:
        cut = fmt.fraction_bits - table_bits
        table = correction(fmt.fraction_bits, table_bits, f >> cut, g >> cut)
        s = f + g + np.where(is_between, table, 0)
        has_carry = s >= fmt.hidden
        total = total - (f + g) + np.where(has_carry, fmt.hidden + ((s - fmt.hidden) >> 1), s)
    else:
        total = total + np.where(is_between, compensation, 0)
    small = np.minimum(fmt.magnitude(a), fmt.magnitude(b))
    big = np.maximum(fmt.magnitude(a), fmt.magnitude(b))
    total = np.where((total < fmt.hidden) | (small == 0), 0, np.minimum(total, fmt.infinity))
    total = np.where(big == fmt.infinity, fmt.infinity, total)
    is_nan = (big > fmt.infinity) | ((big == fmt.infinity) & (small == 0))
    return np.where(is_nan, fmt.nan, sign | total)
