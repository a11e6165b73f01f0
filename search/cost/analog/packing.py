"""Constants of the converters from their measured areas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .circuit import ARRAYS_PER_TILE
from .converter import BITS, least_width, packed_width
from .least_squares import least_squares
from .sweep import Sweep
from .work import Kind

__all__ = ["Packing", "flash_packing", "sar_area"]

Floats = NDArray[np.float64]

ROUNDED = 0.1
"""Weight of a published area of two or three digits beside a measured one."""
START_COLUMNS = (10.0, 20.0, 30.0, 40.0, 60.0)
"""Starts of the search for a comparator's constant part, in columns."""


@dataclass(frozen=True)
class Packing:
    """Flash converters: see :class:`Converter`."""

    constant: float
    per_column: dict[str, float]
    widths: tuple[float, ...]


def _per_converter(part: Sweep, kind: Kind) -> Floats:
    """Measured area of one converter [µm²]."""
    arrays = part["tiles"] * ARRAYS_PER_TILE
    return part["A_adc_um2"] / arrays * part["CS"] / kind.size


def sar_area(part: Sweep, kind: Kind) -> tuple[float, float, float]:
    """Constant, per bit, and per column shared, which only the SRAM array shows."""
    sar = part.take(part.readout.is_sar)
    area = _per_converter(sar, kind)
    columns = [np.ones(len(sar)), sar["AP_bits"], sar["CS"] * (kind.cells > 2)]
    base, per_bit, per_column = least_squares(columns, area, 1 / area)
    return base, per_bit, per_column


def flash_packing(
    kinds: list[Kind],
    parts: Mapping[str, Sweep],
    sar: Mapping[str, tuple[float, float, float]],
    published: Mapping[str, Any],
) -> Packing:
    """Flash comparators: widths by search among whole columns, areas by least squares, in turn."""
    index, size, sharing, bits, area, extra = [], [], [], [], [], []
    cells = list(dict.fromkeys(_cell(kind) for kind in kinds))
    for kind in kinds:
        part = parts[kind.name].take(~parts[kind.name].readout.is_sar)
        index += [cells.index(_cell(kind))] * len(part)
        size += [kind.size] * len(part)
        sharing += list(part["CS"])
        bits += list(part["AP_bits"])
        area += list(_per_converter(part, kind))
        extra += list(sar[kind.name][2] * part["CS"])
    measured = len(index)
    least = published["flash_least_um2"]
    index += [0] * len(least["bits"])
    size += [kinds[0].size] * len(least["bits"])
    sharing += [1.0] * len(least["bits"])
    bits += least["bits"]
    area += least["area_um2"]
    extra += [0.0] * len(least["bits"])
    which = np.array(index)
    comparator = (np.array(area) - np.array(extra)) / (2.0 ** np.array(bits) - 1)
    data = _Comparators(
        which,
        np.array(size),
        np.array(sharing),
        np.array(bits, np.float64),
        comparator,
        np.where(np.arange(len(which)) < measured, 1.0, ROUNDED),
    )
    cell_um2 = [
        np.mean(parts[kind.name]["A_array_um2"] / parts[kind.name]["tiles"]) / kind.size**2
        for kind in (next(kind for kind in kinds if _cell(kind) == cell) for cell in cells)
    ]
    pitch = np.sqrt(np.array(cell_um2) / cell_um2[0])
    best, found = np.inf, None
    for start in START_COLUMNS:
        cost, solution = data.solve(pitch, start)
        if cost < best:
            best, found = cost, solution
    assert found is not None
    constant, slopes, widths = found
    per_column = {kind.name: float(slopes[cells.index(_cell(kind))]) for kind in kinds}
    return Packing(constant, per_column, widths)


def _cell(kind: Kind) -> str:
    """The cell fixes the width of a column, whatever the size of the array."""
    return kind.name.rpartition("-")[0]


@dataclass(frozen=True)
class _Comparators:
    """Measured comparators: cell, size of array, CS, AP, area [µm²]."""

    cell: NDArray[np.int64]
    size: NDArray[np.int64]
    sharing: Floats
    bits: Floats
    area: Floats
    weight: Floats

    def solve(self, pitch: Floats, start: float) -> tuple[float, tuple[float, Floats, Any]]:
        """Error and (constant, area per column of every cell, widths), from a guess on.

        ``pitch`` is the width of a column of every cell, ``start`` the constant part of a
        comparator, in columns.
        """
        wide = self.sharing.max()
        slope = self.area[self.sharing == wide].min() / (start + wide)
        constant, slopes = start * slope, slope * pitch
        widths: tuple[float, ...] = ()
        packed = self.sharing
        for _ in range(20):
            found = self._widths(constant, slopes)
            if found == widths:
                break
            widths = found
            packed = self._packed(least_width(self.bits, widths), slopes)
            columns = [np.ones(len(self.cell))]
            columns += [packed * (self.cell == number) for number in range(len(pitch))]
            constant, *rest = least_squares(columns, self.area, self.weight / self.area)
            slopes = np.where(np.array(rest) > 0, rest, rest[0] * pitch)
        miss = self.weight * ((constant + slopes[self.cell] * packed) / self.area - 1)
        return round(float((miss**2).sum()), 12), (constant, slopes, widths)

    def _packed(self, width: Floats, slopes: Floats) -> Floats:
        pitch = slopes[self.cell] / slopes[0]
        return packed_width(width / pitch, self.sharing, self.size)

    def _widths(self, constant: float, slopes: Floats) -> tuple[float, ...]:
        """For every number of bits the width that fits best; the largest among equals."""
        wanted = np.arange(1.0, 65.0)[:, None]
        packed = self._packed(wanted, slopes)
        miss = self.weight * ((constant + slopes[self.cell] * packed) / self.area - 1)
        result = []
        for bits in range(BITS[0], BITS[1] + 1):
            cost = np.round((miss[:, self.bits == bits] ** 2).sum(axis=1), 9)
            result.append(float(np.flatnonzero(cost == cost.min())[-1] + 1))
        return tuple(result)
