"""Area of the converters: SAR by its bits, flash by the rows that its comparators are packed in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .work import Readout

__all__ = ["BITS", "Converter", "least_width", "packed_width"]

Floats = NDArray[np.float64]

BITS = (3, 8)
"""Range of the bits whose least width the sweep tells."""


@dataclass(frozen=True)
class Converter:
    """Constants of the converters of one kind of crossbar.

    Attributes
    ----------
    sar_um2 : three numbers
        Of a SAR converter: constant, per bit, and (SRAM only) per column shared [µm²].
    flash_um2 : two numbers
        Of one comparator of a flash converter: constant, and per column of packed width [µm²].
    widths : six numbers
        Least width of a flash converter of 3 to 8 bits, in columns of the 64 x 64 RRAM array.
    pitch : float
        Width of a column, in columns of the 64 x 64 RRAM array.
    size : int
        Columns of an array.
    """

    sar_um2: tuple[float, float, float]
    flash_um2: tuple[float, float]
    widths: tuple[float, ...]
    pitch: float
    size: int

    def area_um2(self, readout: Readout) -> Floats:
        """Area of one converter [µm²].

        SAR: a₀ + a₁·b. Flash: (2^b − 1)·(c₀ + c₁·W), with W the width in columns that the packing
        gives: it takes ⌈w_b / CS⌉ of the places that CS columns leave, at most half the array.
        """
        sharing, bits = readout.column_sharing, readout.adc_bits
        base, per_bit, per_column = self.sar_um2
        width = packed_width(least_width(bits, self.widths) / self.pitch, sharing, self.size)
        flash = (2.0**bits - 1) * (self.flash_um2[0] + self.flash_um2[1] * width)
        return np.where(readout.is_sar, base + per_bit * bits, flash) + per_column * sharing


def least_width(bits: Floats, widths: tuple[float, ...]) -> Floats:
    """Least width per bits; outside the table it doubles with every bit."""
    low, high = BITS
    inside = np.clip(bits, low, high).astype(np.int64)
    return np.asarray(widths)[inside - low] * 2.0 ** (bits - inside)


def packed_width(width: Floats, sharing: Floats, size: int | NDArray[np.int64]) -> Floats:
    """Columns that a converter of least width ``width`` covers: whole places of ``sharing``."""
    return np.minimum(np.ceil(width / sharing) * sharing, np.maximum(size / 2, sharing))
