"""What an analog layer has to do: its readout, its size, and the tiles that this size takes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "REFERENCE", "FloorPlan", "Kind", "LayerSize", "Readout", "floor_plan"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """A crossbar that the sweep knows.

    Attributes
    ----------
    name : name in constants.json
    config : its name in the sweep
    size : rows and columns of an array
    cells : columns of one weight: 8-bit weights on 4-bit or 1-bit cells; a hidden weight takes a
        positive and a negative cell, also 2
    """

    name: str
    config: str
    size: int
    cells: int


KINDS = (
    Kind("rram-4b-64", "paper_rram4b_64x64_32nm", 64, 2),
    Kind("rram-4b-128", "paper_rram4b_128x128_32nm", 128, 2),
    Kind("sram-1b-128", "committed_sram1b_128x128_32nm", 128, 8),
)


@dataclass(frozen=True)
class Readout:
    """What the search chooses, arrays of shape (n,).

    Attributes
    ----------
    column_sharing : columns that share a converter (XPert: CS)
    is_sar : bool, else flash (XPert: AT)
    adc_bits, input_bits : XPert's AP and IP [bit]
    """

    column_sharing: Floats
    is_sar: NDArray[np.bool_]
    adc_bits: Floats
    input_bits: Floats

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Readout":
        """The rows of a mask or of indices."""
        return Readout(
            self.column_sharing[rows],
            self.is_sar[rows],
            self.adc_bits[rows],
            self.input_bits[rows],
        )


@dataclass(frozen=True)
class LayerSize:
    """Size of a layer, arrays of shape (n,) or single numbers.

    Attributes
    ----------
    fan_in : rows of the unrolled weight matrix
    outputs : output channels
    positions : vectors per image
    copies : how often the tiles are repeated
    """

    fan_in: NDArray[np.int64]
    outputs: NDArray[np.int64]
    positions: NDArray[np.int64]
    copies: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "LayerSize":
        """The rows of a mask or of indices."""
        return LayerSize(
            self.fan_in[rows], self.outputs[rows], self.positions[rows], self.copies[rows]
        )


REFERENCE = LayerSize(*(np.array([n]) for n in (9 * 128, 128, 16 * 16, 1)))
"""The layer of the sweep: 128 -> 128 channels, 3 x 3, 16 x 16 positions."""


@dataclass(frozen=True)
class FloorPlan:
    """The arrays and tiles of a layer, int64 arrays.

    Attributes
    ----------
    row_tiles, column_tiles : grid of tiles of one copy
    row_arrays, column_arrays : grid of arrays that one copy of the weights fills
    tile_rows : rows that the fullest tile uses
    duplicates : copies of the weights that fit in the tiles of one copy, for free
    """

    row_tiles: NDArray[np.int64]
    column_tiles: NDArray[np.int64]
    row_arrays: NDArray[np.int64]
    column_arrays: NDArray[np.int64]
    tile_rows: NDArray[np.int64]
    duplicates: NDArray[np.int64]


def floor_plan(kind: Kind, size: LayerSize) -> FloorPlan:
    """Place a layer: 2 x 2 arrays make a PE, 4 x 4 PEs make a tile.

    A layer takes ⌈fan_in / 8R⌉ · ⌈cells · outputs / 8R⌉ tiles. Where it needs p of the 4 PEs of a
    side, ⌊4 / p⌋ copies stand side by side, and likewise among the 2 arrays of a PE's side.

    Source: facts of the published simulator (floor-planned tiles, floored duplication).
    """
    array, tile = kind.size, 8 * kind.size
    columns = kind.cells * size.outputs
    return FloorPlan(
        row_tiles=-(-size.fan_in // tile),
        column_tiles=-(-columns // tile),
        row_arrays=-(-size.fan_in // array),
        column_arrays=-(-columns // array),
        tile_rows=np.minimum(size.fan_in, tile),
        duplicates=_fit(size.fan_in, array) * _fit(columns, array),
    )


def _fit(length: NDArray[np.int64], array: int) -> NDArray[np.int64]:
    """How often ``length`` rows or columns fit along one side of a tile."""
    processors = -(-np.minimum(length, 8 * array) // (2 * array))
    arrays = -(-np.minimum(length, 2 * array) // array)
    return (4 // processors) * (2 // arrays)
