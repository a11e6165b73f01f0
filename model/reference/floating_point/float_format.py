"""A binary floating-point format: widths, special codes, fields."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FORMATS", "Codes", "FloatFormat"]

Codes = NDArray[np.int64]
"""Numbers of a format, each as the unsigned integer of its bits."""


@dataclass(frozen=True)
class FloatFormat:
    """Sign, exponent and fraction, as in IEEE 754: (−1)^sign · 2^(exponent − bias) · 1.fraction.

    Exponent 0 means subnormal, (−1)^sign · 2^(1 − bias) · 0.fraction, and with fraction 0 a signed
    zero. The largest exponent means infinity with fraction 0, else NaN. That holds for eight bits
    too: E4M3 ends at 240 and has infinities, unlike OCP's E4M3, which ends at 448 and has none.
    E5M2 is OCP's and PyTorch's ``float8_e5m2``.

    Parameters
    ----------
    exponent_bits : int, 2 to 11
    fraction_bits : int, 1 to 29
        So that a product of two significands fits into 62 bits, and every number into a double.

    Raises
    ------
    ValueError
        If a width is out of range.

    Source
    ------
    IEEE 754-2019, 3.4. Narrow ones: Micikevicius et al., arXiv:2209.05433.
    """

    exponent_bits: int
    fraction_bits: int

    def __post_init__(self) -> None:
        for name, least, most in (("exponent_bits", 2, 11), ("fraction_bits", 1, 29)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be {least} to {most}, not {value!r}")

    @property
    def width(self) -> int:
        """Bits of a number."""
        return 1 + self.exponent_bits + self.fraction_bits

    @property
    def bias(self) -> int:
        """Exponent of the numbers from 1 to 2."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def hidden(self) -> int:
        """The one before the fraction; as a code the least normal number."""
        return 1 << self.fraction_bits

    @property
    def sign(self) -> int:
        """Code of the sign bit alone, −0."""
        return 1 << (self.width - 1)

    @property
    def infinity(self) -> int:
        """Code of +∞; codes without sign above it are NaN."""
        return ((1 << self.exponent_bits) - 1) << self.fraction_bits

    @property
    def nan(self) -> int:
        """The NaN that every operation gives: positive, quiet, nothing else set."""
        return self.infinity | self.hidden >> 1

    @property
    def one(self) -> int:
        """Code of 1."""
        return self.bias << self.fraction_bits

    def codes(self, values: ArrayLike) -> Codes:
        """Integers as codes; ValueError where one has more bits than the format."""
        codes = np.asarray(values, np.int64)
        if codes.size and (codes.min() < 0 or codes.max() >> self.width):
            wrong = codes[(codes < 0) | (codes >> self.width != 0)].flat[0]
            raise ValueError(f"codes must be 0 to {(1 << self.width) - 1}, not {wrong}")
        return codes

    def magnitude(self, codes: Codes) -> Codes:
        """Codes without their sign."""
        return codes & (self.sign - 1)

    def fraction(self, codes: Codes) -> Codes:
        """The fraction field."""
        return codes & (self.hidden - 1)

    def flushed(self, codes: Codes) -> Codes:
        """Subnormal numbers as zeros of their sign."""
        return np.where(self.magnitude(codes) < self.hidden, codes & self.sign, codes)


FORMATS = {
    "fp32": FloatFormat(8, 23),
    "bf16": FloatFormat(8, 7),
    "fp16": FloatFormat(5, 10),
    "fp8_e5m2": FloatFormat(5, 2),
    "fp8_e4m3": FloatFormat(4, 3),
    "fp8_e3m4": FloatFormat(3, 4),
}
"""Formats with a name."""
