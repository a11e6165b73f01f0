"""Which LAM a training computes with."""

from dataclasses import dataclass

from kakure.model.reference.floating_point.float_format import FloatFormat
from kakure.model.reference.floating_point.lam import check_lam, compensation_of

__all__ = ["VARIANTS", "Lam"]

EXPONENT_BITS = 8
VARIANTS = ("plain", "constant", "table2", "table3")


@dataclass(frozen=True)
class Lam:
    """LAM on numbers with the exponent of float32 and a fraction that may be shorter.

    Parameters
    ----------
    fraction_bits : int, 1 to 23
        To which factors are rounded before they are multiplied; products have as many.
    compensation, table_bits : int
        As those of :func:`.lam_multiply`.

    Raises
    ------
    ValueError
        If there is no such LAM.
    """

    fraction_bits: int = 23
    compensation: int = 0
    table_bits: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.fraction_bits <= 23:
            raise ValueError(f"fraction_bits must be 1 to 23, not {self.fraction_bits!r}")
        check_lam(self.fmt, self.compensation, self.table_bits)

    @property
    def fmt(self) -> FloatFormat:
        """Format of the factors and products."""
        return FloatFormat(EXPONENT_BITS, self.fraction_bits)

    @classmethod
    def named(cls, variant: str, fraction_bits: int = 23) -> "Lam":
        """One of :data:`VARIANTS`: plain, with 7/128, or with a table of 2 or 3 bits."""
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, not {variant!r}")
        if variant.startswith("table"):
            return cls(fraction_bits, table_bits=int(variant[-1]))
        if variant == "constant":
            return cls(fraction_bits, compensation=compensation_of(fraction_bits))
        return cls(fraction_bits)
