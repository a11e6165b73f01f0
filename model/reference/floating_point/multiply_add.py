"""Product and sum in one: the product is rounded to the format, then the sum."""

from numpy.typing import ArrayLike

from .exact import add, multiply
from .float_format import Codes, FloatFormat
from .lam import lam_multiply

__all__ = ["lam_multiply_add", "multiply_add"]


def multiply_add(
    fmt: FloatFormat, a: ArrayLike, b: ArrayLike, c: ArrayLike, *, has_subnormals: bool = True
) -> Codes:
    """a · b + c: :func:`.multiply`, then :func:`.add`, each rounds; it is not fused."""
    product = multiply(fmt, a, b, has_subnormals=has_subnormals)
    return add(fmt, product, c, has_subnormals=has_subnormals)


def lam_multiply_add(
    fmt: FloatFormat,
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike,
    *,
    compensation: int = 0,
    table_bits: int = 0,
    has_subnormals: bool = True,
) -> Codes:
    """a · b + c: :func:`.lam_multiply`, then the exact :func:`.add`, which alone rounds.

    Parameters
    ----------
    has_subnormals : bool
        Of c and of the sum; the product has none.
    """
    product = lam_multiply(fmt, a, b, compensation=compensation, table_bits=table_bits)
    return add(fmt, product, c, has_subnormals=has_subnormals)
