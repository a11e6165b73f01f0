"""Bitwise weights: planes of signs, of which the first few make a coarser network."""

from typing import Literal

from pydantic import Field

from .weights import Weights

__all__ = ["BitwiseWeights"]


class BitwiseWeights(Weights):
    """Odd integer weights of N planes of ±1, usable at any of 1 to N bits, MSB first."""

    kind: Literal["bitwise"] = "bitwise"
    bits: int = Field(8, ge=1, le=8)
    """Number of planes N [bit]."""

    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """Largest magnitude of a sum, for inputs of one bit.

        Per plane |2·code·2^s − Σx| is at most fan_in, and the rounding of each group's code.
        """
        return (fan_in + rounding) * ((1 << self.bits) - 1)
